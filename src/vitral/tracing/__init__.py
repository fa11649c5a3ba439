"""What a forward pass computed: the attention function, addresses, recorder, trace, files."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vitral.tracing.editing.before_after import difference as difference
    from vitral.tracing.editing.edit import Edit as Edit
    from vitral.tracing.files.open_trace import open_trace as open_trace
    from vitral.tracing.token import Token as Token
    from vitral.tracing.trace import Trace as Trace
    from vitral.tracing.view import View as View

_HOMES = {
    "difference": "editing.before_after",
    "Edit": "editing.edit",
    "open_trace": "files.open_trace",
    "Token": "token",
    "Trace": "trace",
    "View": "view",
}

__all__ = ["difference", "Edit", "Token", "Trace", "View", "open_trace"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"vitral.tracing.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'vitral.tracing' has no attribute {name!r}")
