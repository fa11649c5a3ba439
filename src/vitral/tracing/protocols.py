"""What the code below `vitral.model` needs of a model: `vitral.Model`, or anything like it.

`explain` must not import `vitral.model`. It accepts any object with these members; functions that
need only the module accept either.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, overload, runtime_checkable

from torch import nn

from vitral.tracing.token import Token

if TYPE_CHECKING:
    from vitral.tracing.trace import Trace


@runtime_checkable
class TraceableModel(Protocol):
    """A module with its tokenizer, which can be traced.

    `tokenizer` is a `tokenizers.Tokenizer`, one of transformers', or None; `kind` one of
    "decoder", "encoder", "encoder-decoder" and "image"; `context` the largest number of tokens
    that it accepts and `vocabulary_size` the size of its vocabulary, None if unknown.
    """

    @property
    def module(self) -> nn.Module: ...

    @property
    def tokenizer(self) -> Any: ...

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def context(self) -> int | None: ...

    @property
    def vocabulary_size(self) -> int | None: ...

    def tokens(self, text: str) -> list[Token]:
        """The tokens of a text, each with its place in it."""

    @overload
    def trace(self, text: str) -> "Trace": ...

    @overload
    def trace(self, *, texts: Sequence[str]) -> "list[Trace]": ...

    @overload
    def trace(self, *, ids: Sequence[int]) -> "Trace": ...

    def trace(self, text: Any = None, *, texts: Any = None, ids: Any = None) -> Any:
        """What the model computes for a text, several texts, or ids."""

    def trace_generation(self, text: str, *, max_new_tokens: int) -> "Trace":
        """What the model computes while it writes `text` on."""


def module_of(model: nn.Module | TraceableModel) -> nn.Module:
    """The torch module of a model, or the module itself."""
    return model if isinstance(model, nn.Module) else model.module
