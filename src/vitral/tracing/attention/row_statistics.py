"""What each row of a pattern says in a few numbers: where it looks, how far, how sharply.

A pattern has T × S weights a head, its rows' statistics a handful of numbers for each of the T
tokens. They are exact: found from the weights themselves, block by block (`blocked_pass`), with
the weights never all in memory. Every measure of a head is made of them.

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
"""Statistics that are one key's weight, and that key's place from the query's."""


class Pattern(Protocol):
    """What rows are read from: an attention record, or anything that gives its weights."""

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

    Rows sum to one, except those that give a share to a learned sink, and those of queries that
    may look nowhere (zeros). Sums run over the keys s.
    """

    entropy: Tensor  # [H, T] −Σ p log p, in nats: 0 looks at one key, log n evenly at n keys
    distance: Tensor  # [H, T] Σ p·|t − s|, in tokens
    largest: Tensor  # [H, T] the largest weight
    first: Tensor  # [H, T] the weight of the first key
    own: Tensor  # [H, T] that of the query's own place
    previous: Tensor  # [H, T] that of the place before; 0 where there is none
    next: Tensor  # [H, T] that of the place after; 0 where there is none
    received: Tensor  # [H, S] what each key gets, summed over the queries
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
