"""A few statistics of each row of a pattern: where it attends, how far, how sharply.

A pattern has T × S weights per head, its row statistics a few numbers for each of the T tokens.
They are exact: computed from the weights, block by block (`blocked_pass`), which are never all in
memory. Every measure of a head is computed from them.

Places are counted from the end of the keys, so that with a cache (S > T) query t stands where
key t + S − T does. In cross-attention, where queries and keys are of two texts, `distance`,
`own`, `previous` and `next` mean nothing.

Shapes: H heads, T queries, S keys.
"""

from dataclasses import dataclass, fields
from typing import Protocol

import torch
from torch import Tensor

from vitral.tracing.attention.visibility import Range

NEIGHBOURS = {"own": 0, "previous": -1, "next": 1}
"""Statistics that are the weight of one key, with its position relative to the query."""


class Pattern(Protocol):
    """A source of rows: an attention record, or anything with its weights."""

    @property
    def num_heads(self) -> int: ...
    @property
    def num_queries(self) -> int: ...
    @property
    def num_keys(self) -> int: ...
    def pattern(
        self, head: int | None = None, rows: Range | None = None, columns: Range | None = None
    ) -> Tensor: ...
    def cells(self, head: int | None, rows: Tensor, columns: Tensor) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class RowStatistics:
    """Statistics of every row of every head; float32, on the CPU.

    Rows sum to one, except those with a learned sink and those of fully masked queries (zeros).
    Sums run over the keys s.
    """

    entropy: Tensor  # [H, T] −Σ p log p, in nats: 0: all on one key, log n: even over n keys
    distance: Tensor  # [H, T] Σ p·|t − s|, in tokens
    largest: Tensor  # [H, T] the largest weight
    first: Tensor  # [H, T] the weight of the first key
    own: Tensor  # [H, T] that of the query's own place
    previous: Tensor  # [H, T] that of the place before; 0 where there is none
    next: Tensor  # [H, T] that of the place after; 0 where there is none
    received: Tensor  # [H, S] the weight that each key receives, summed over the queries
    allowed: Tensor  # [1 or H, T] how many keys the row may see

    def items(self) -> list[tuple[str, Tensor]]:
        """The statistics with their names."""
        return [(field.name, getattr(self, field.name)) for field in fields(self)]


def weights_at_places(record: Pattern) -> dict[str, Tensor]:
    """`first`, `own`, `previous` and `next` [H, T]: single cells, so T·D arithmetic a head."""
    num_queries, num_keys = record.num_queries, record.num_keys
    row = torch.arange(num_queries)
    place = row + max(0, num_keys - num_queries)
    columns = {"first": torch.zeros_like(row)}
    columns |= {name: place + step for name, step in NEIGHBOURS.items()}
    found = {}
    for name, column in columns.items():
        exists = (column >= 0) & (column < num_keys)
        weights = torch.zeros(record.num_heads, num_queries)
        weights[:, exists] = record.cells(None, row[exists], column[exists]).cpu()
        found[name] = weights
    return found


def explicit_statistics(record: Pattern, allowed: Tensor) -> RowStatistics:
    """The definitions spelled out on whole patterns: the slow form, for tests and small texts.

    `allowed` is as in `RowStatistics`.
    """
    weights = record.pattern().cpu()
    num_queries, num_keys = weights.shape[1:]
    place = torch.arange(num_queries) + max(0, num_keys - num_queries)
    far = (place[:, None] - torch.arange(num_keys)[None, :]).abs()
    return RowStatistics(
        entropy=-torch.xlogy(weights, weights).sum(-1),
        distance=(weights * far).sum(-1),
        largest=weights.amax(-1),
        received=weights.sum(-2),
        allowed=allowed,
        **weights_at_places(record),
    )
