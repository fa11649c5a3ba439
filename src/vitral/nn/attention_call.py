"""One call of the attention function, and the hooks that observe or edit it.

The attention function (`nn.scaled_dot_product`) asks two context variables at each call, and
does nothing more where they are empty: `observer` sees what was computed, `editor` may have it
change the result. `vitral.tracing` sets them; `vitral.nn` does not depend on it.

Shapes: B sequences, H query heads, K key heads, T queries, S keys, D wide.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from vitral.nn.pattern_edit import PatternEdit


@dataclass(frozen=True)
class AttentionCall:
    """One call of the attention function, as its observer sees it.

    `query` is [B, H, T, D], `key` and `value` are [B, K, S, D]. `mask` is True where a query
    sees a key; `bias` is added to the scores. Either has shape [B or 1, H or 1, T or 1, S], or is
    None. `is_causal` says that query t sees keys 0 … t only (then `mask` is None).
    `uniform_when_blind` is the result for a fully masked query: the mean of all values if True,
    zeros if False. `softcap` and `sinks` [H] are the softmax's variations (see
    `nn.scaled_dot_product`), None if there is none. `lse` float32 [B, H, T] is each row's
    log-sum-exp if the kernel returned it (meaningless for a fully masked query), otherwise None.
    `edits` are the edits of each sequence's patterns, None if there are none.
    """

    module: nn.Module | None
    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    bias: Tensor | None
    is_causal: bool
    scaling: float
    uniform_when_blind: bool
    softcap: float | None = None
    sinks: Tensor | None = None
    lse: Tensor | None = None
    edits: Sequence[PatternEdit | None] | None = None


class AttentionObserver(Protocol):
    """An observer of each attention that is computed."""

    def observe_attention(self, call: AttentionCall) -> None: ...

    def observe_pattern(self, module: nn.Module, pattern_BHTS: Tensor) -> None:
        """Weights that come of no product of queries and keys, or not of that alone."""


observer: ContextVar[AttentionObserver | None] = ContextVar("attention_observer", default=None)
"""The observer of the attention computed in this context (a thread, a task), or None."""


class AttentionEditor(Protocol):
    """An editor, which changes the result of an attention."""

    def edit_inputs(
        self, module: nn.Module | None, query: Tensor, key: Tensor, value: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The queries, keys and values to use, shaped as those given."""

    def edit_output(self, call: AttentionCall, output_BHTD: Tensor) -> tuple[Tensor, AttentionCall]:
        """The output to give, and the call with its `edits`."""


editor: ContextVar[AttentionEditor | None] = ContextVar("attention_editor", default=None)
"""The editor of the attention computed in this context, or None."""
