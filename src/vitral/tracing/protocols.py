"""What a model is to those who ask questions about it: `vitral.Model`, or anything like it.

`explain` stands below `vitral.model` and imports nothing of it. It takes what has these members;
where a module alone will do, either.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, overload, runtime_checkable

from torch import nn

from vitral.tracing.token import Token

if TYPE_CHECKING:
    from vitral.tracing.trace import Trace


@runtime_checkable
class TraceableModel(Protocol):
    """A module with its tokenizer, that leaves traces.

    `tokenizer` is a `tokenizers.Tokenizer`, one of transformers', or None; `kind` one of
    "decoder", "encoder", "encoder-decoder" and "image"; `context` the most tokens that it takes
    and `vocabulary_size` how many entries it knows, None where nothing says so.
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

    @overload
    def trace(self, **inputs: Any) -> Any: ...

    def trace(self, text: Any = None, *, texts: Any = None, ids: Any = None, **inputs: Any) -> Any:
        """What the model computes for a text, several texts, or ids."""

    def trace_generation(self, text: str, *, max_new_tokens: int) -> "Trace":
        """What the model computes while it writes `text` on."""


def module_of(model: nn.Module | TraceableModel) -> nn.Module:
    """The torch module of a model, or the module itself."""
    return model if isinstance(model, nn.Module) else model.module
