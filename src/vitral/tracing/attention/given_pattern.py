"""An attention of which only the pattern is known.

Models with attention code of their own return their patterns (eager attention,
`output_attentions`), and patterns may come from elsewhere. There are then no queries and keys to
compute the weights from; the matrix is stored, H × T × S numbers.

It is stored as logarithms, which are scores whose rows have a log-sum-exp of 0. So everything
that reads an attention record (views, statistics, files, edits) can read this one.

Shapes: H heads, T queries, S keys.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.tracing.addresses import ATTENTION_PARTS
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.visibility import Bias, Visibility


@dataclass(frozen=True, eq=False)
class GivenPattern(AttentionRecord):
    """A pattern as it was given; its queries, keys and values are placeholders.

    `source` is where it comes from: "eager", the model's own slower implementation; "given", the
    caller of `Trace.from_tensors`; "told", the model as it ran: the weights that it used
    (recurrent attention).
    """

    source: str = "eager"

    @classmethod
    def of(cls, weights: Tensor, source: str = "eager") -> "GivenPattern":
        """From a pattern [H, T, S].

        Raises VitralError `pattern_unreadable` if it has another shape, or weights that are
        negative or no numbers, or rows that add up to more than one.
        """
        problem = _problem(weights)
        if problem is not None:
            raise VitralError("pattern_unreadable", shape=tuple(weights.shape), problem=problem)
        weights = weights.detach().float()
        num_heads, num_queries, num_keys = weights.shape
        seen = weights > 0
        if torch.equal(seen, seen[:1].expand_as(seen)):
            seen = seen[:1]
        nothing = torch.zeros(num_heads, num_queries, 1)
        keys = torch.zeros(num_heads, num_keys, 1)
        return cls(
            query=nothing,
            key=keys,
            value=keys,
            lse=torch.zeros(num_heads, num_queries),
            scaling=1.0,
            visibility=Visibility.of_mask(seen.cpu()),
            bias=Bias(num_queries, dense=weights.log().clamp(min=-1e30).cpu()),
            uniform_when_blind=False,
            source=source,
        )


def kept_of(record: AttentionRecord) -> tuple[str, ...]:
    """The values that an attention has: queries and keys only if they are known."""
    return ("pattern",) if isinstance(record, GivenPattern) else ATTENTION_PARTS


def is_pattern(weights: Tensor) -> bool:
    """Whether [..., H, T, S] may be attention weights: rows from 0, adding up to 1 (or 0)."""
    if not weights.is_floating_point() or not bool((weights >= 0).all()):
        return False
    total = weights.float().sum(-1)
    return bool((((total - 1).abs() < 1e-2) | (total < 1e-6)).all())


def fits(weights: Tensor, stream: Tensor, *, cross: bool) -> bool:
    """Whether returned weights [B, H, T, S] are a pattern over the tokens of a layer's `stream`.

    Some attention returns weights over something else: Longformer's and LED's over the positions
    of a sliding window, which would pass for a pattern if the sizes happen to agree.
    """
    batch, _, num_queries, num_keys = weights.shape
    if stream.dim() != 3 or (not cross and num_queries != num_keys):
        return False
    return batch % len(stream) == 0 and batch // len(stream) * num_queries == stream.shape[1]


def _problem(weights: Tensor) -> str | None:
    if weights.dim() != 3 or min(weights.shape) < 1 or not weights.is_floating_point():
        return "[heads, queries, keys]"
    if not bool((weights >= 0).all()):
        return "< 0, NaN"
    largest = float(weights.float().sum(-1).max())
    return f"Σ = {largest:.3g}" if largest > 1.01 else None
