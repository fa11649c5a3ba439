"""The patterns of models with attention code of their own.

These models call no function that Vitral can observe, but most return their weights if their
eager implementation runs with `output_attentions`. The patterns are then stored as given, and the
trace reports it (`Trace.exactness`).
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from vitral.tracing.recording.attention_function import has_its_own_attention


@contextmanager
def patterns_returned(module: nn.Module) -> Iterator[None]:
    """While open, the parts of `module` with attention code of their own run it eagerly."""
    changed = []
    for part in module.modules():
        configuration: Any = getattr(part, "config", None)
        if has_its_own_attention(part) and hasattr(configuration, "_attn_implementation_internal"):
            changed.append((configuration, dict(vars(configuration))))
    try:
        for configuration, _ in changed:
            configuration._attn_implementation_internal = "eager"
            configuration._output_attentions = True
        yield
    finally:
        for configuration, before in reversed(changed):
            for name in ("_attn_implementation_internal", "_output_attentions"):
                if name in before:
                    setattr(configuration, name, before[name])
                else:
                    vars(configuration).pop(name, None)


def asking_for_patterns(module: nn.Module, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a forward pass, with the request for attention weights if it accepts one."""
    accepted = inspect.signature(module.forward).parameters
    open_ended = any(each.kind is each.VAR_KEYWORD for each in accepted.values())
    theirs = hasattr(module, "_can_set_attn_implementation")
    if "output_attentions" in accepted or (open_ended and theirs):
        return kwargs | {"output_attentions": True}
    return kwargs
