"""One attention as it is read: the mean of some heads, words in the place of their pieces.

Nothing of it is kept: a block is computed from the record that it reads when it is asked for. So
views, statistics and maps of it are those of any attention, however long the text.

Shapes: H heads, T queries and S keys as read; words where words are read.
"""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.blocked_pass import LOWEST
from vitral.tracing.attention.given_pattern import GivenPattern
from vitral.tracing.attention.visibility import Range, Visibility


@dataclass(frozen=True, eq=False)
class ReadRecord(GivenPattern):
    """An attention read in another way; see the head of the file. Its queries, keys and values
    mean nothing.

    Row t stands for the rows row_edges[t] … row_edges[t + 1] − 1 of `read`, columns likewise.
    `scale` [H, rows] is what kept weights are multiplied by, `kept` [columns] which keys are not
    left out, both of `read`: only of edited records, whose weights no log-sum-exp gives.
    """

    read: AttentionRecord | None = None
    heads: tuple[int, ...] | None = None
    row_edges: list[int] = field(default_factory=list)
    column_edges: list[int] = field(default_factory=list)
    kept: Tensor | None = None
    scale: Tensor | None = None

    @classmethod
    def reading(
        cls,
        record: AttentionRecord,
        *,
        heads: tuple[int, ...] | None = None,
        row_edges: Sequence[int] | None = None,
        column_edges: Sequence[int] | None = None,
        left_out: Tensor | None = None,
    ) -> "ReadRecord":
        """Raises VitralError `head_out_of_range`."""
        for head in heads or ():
            if head >= record.num_heads:
                raise VitralError("head_out_of_range", head=head, num_heads=record.num_heads)
        rows = list(range(record.num_queries + 1)) if row_edges is None else list(row_edges)
        columns = list(range(record.num_keys + 1)) if column_edges is None else list(column_edges)
        num_heads = record.num_heads if heads is None else 1
        rule, scale = record.visibility, None
        if left_out is not None:
            rule, scale = rule.without(left_out), _scale(record, ~left_out)
        if row_edges is not None or column_edges is not None:
            rule = _grouped(rule, rows, columns)
        keys = torch.zeros(num_heads, len(columns) - 1, 1)
        return cls(
            query=torch.zeros(num_heads, len(rows) - 1, 1),
            key=keys,
            value=keys,
            lse=torch.zeros(num_heads, len(rows) - 1),
            scaling=1.0,
            visibility=rule,
            bias=None,
            uniform_when_blind=False,
            source=getattr(record, "source", "exact"),
            read=record,
            heads=heads,
            row_edges=rows,
            column_edges=columns,
            kept=None if left_out is None else ~left_out,
            scale=scale,
        )

    @property
    def under(self) -> AttentionRecord:
        """The record that is read."""
        assert self.read is not None
        return self.read

    def pattern(
        self, head: int | None = None, rows: Range | None = None, columns: Range | None = None
    ) -> Tensor:
        """The weights of some cells as they are read: float32 [1 or H, rows, columns]."""
        down = self.row_edges[slice(0, None) if rows is None else slice(rows[0], rows[1] + 1)]
        across = self.column_edges[
            slice(0, None) if columns is None else slice(columns[0], columns[1] + 1)
        ]
        block = (down[0], down[-1]), (across[0], across[-1])
        if self.heads is None:
            weights = self._weights(head, *block)
        else:
            weights = self._weights(self.heads[0], *block)
            for other in self.heads[1:]:
                weights = weights + self._weights(other, *block)
            weights = weights / len(self.heads)
        return _summed(_summed(weights, across, -1), down, -2) / _sizes(down)[:, None]

    def _weights(self, head: int | None, rows: Range, columns: Range) -> Tensor:
        weights = self.under.pattern(head, rows, columns).cpu()
        if self.kept is None or self.scale is None:
            return weights
        heads = slice(None) if head is None else slice(head, head + 1)
        return weights * self.scale[heads, slice(*rows), None] * self.kept[slice(*columns)]

    def _cells(self, head: int | None, rows: Tensor, columns: Tensor) -> Tensor:
        found = torch.empty(self.num_heads if head is None else 1, len(rows))
        for row in sorted(set(rows.tolist())):
            mine = rows == row
            found[:, mine] = self.pattern(head, (row, row + 1))[:, 0, columns[mine]]
        return found

    def columns_seen(self, rows: Range) -> Range:
        """The columns outside which these rows have no weight."""
        first, last = self.under.columns_seen((self.row_edges[rows[0]], self.row_edges[rows[1]]))
        if first == last:
            return 0, 0
        return bisect_right(self.column_edges, first) - 1, bisect_left(self.column_edges, last)

    def fill(
        self,
        head: int,
        rows: Range,
        columns: Range,
        hidden: tuple[int, Tensor] | None,
        log_weights: Tensor,
        weights: Tensor,
    ) -> None:
        """Write a block of one head's weights, and their logarithms to base 2, into two buffers."""
        weights.copy_(self.pattern(head, rows, columns)[0])
        torch.log2(weights, out=log_weights).clamp_(min=LOWEST)


def _summed(weights: Tensor, edges: list[int], dimension: int) -> Tensor:
    """Neighbouring rows or columns of a block summed between the edges; its first is edges[0]."""
    sizes = torch.tensor(edges).diff()
    if int(sizes.max()) == 1:
        return weights
    shape = list(weights.shape)
    shape[dimension] = len(sizes)
    index = torch.arange(len(sizes)).repeat_interleave(sizes)
    return torch.zeros(shape).index_add_(dimension, index, weights)


def _sizes(edges: list[int]) -> Tensor:
    return torch.tensor(edges).diff()


def _scale(record: AttentionRecord, kept: Tensor) -> Tensor:
    """What a row's kept weights are multiplied by to sum to one [H, T]; 0 where there are none."""
    sums = [
        (record.pattern(None, rows).cpu() * kept).sum(-1)
        for rows in record.row_blocks(record.num_heads)
    ]
    total = torch.cat(sums, dim=-1)
    return torch.where(total > 0, 1 / total, 0.0)


def _grouped(rule: Visibility, rows: list[int], columns: list[int]) -> Visibility:
    """Who sees whom among groups: a group sees one of which any of its tokens sees any."""
    if rule.is_everything:
        return Visibility.rule(len(rows) - 1, len(columns) - 1, causal=False)
    parts = []
    for first, last in itertools.pairwise(rows):
        seen = rule.block((first, last), (0, columns[-1])).any(-2)
        counts = torch.nn.functional.pad(seen.cumsum(-1), (1, 0))[..., columns]
        parts.append(counts.diff(dim=-1) > 0)
    return Visibility.of_mask(torch.stack(parts, dim=-2))
