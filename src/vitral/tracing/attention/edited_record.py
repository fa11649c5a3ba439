"""A record whose pattern was edited: its weights are those that the model used after the edit.

Queries, keys and log-sum-exp remain those that the model computed; the edit describes how the
weights were changed (`nn.pattern_edit`). Cells, blocks, statistics and maps are those of the
edited pattern.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from vitral.nn.pattern_edit import PatternEdit
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.blocked_pass import LOWEST
from vitral.tracing.attention.visibility import Range


@dataclass(frozen=True, eq=False)
class EditedRecord(AttentionRecord):
    """One attention of one sequence, and the edit of its pattern."""

    edit: PatternEdit | None = None

    @classmethod
    def of(cls, record: AttentionRecord, edit: PatternEdit | None) -> AttentionRecord:
        """`record` with its edit; `record` itself if there is none."""
        if edit is None:
            return record
        kept: dict[str, Any] = {each.name: getattr(record, each.name) for each in fields(record)}
        return cls(**(kept | {"edit": edit}))

    @property
    def change(self) -> PatternEdit:
        assert self.edit is not None
        return self.edit

    def pattern(
        self, head: int | None = None, rows: Range | None = None, columns: Range | None = None
    ) -> Tensor:
        """The edited weights of some cells: float32 [1 or H, rows, columns]."""
        rows = (0, self.num_queries) if rows is None else rows
        columns = (0, self.num_keys) if columns is None else columns
        own = super().pattern(head, rows, columns)
        visible = self.visibility.block(rows, columns).expand(
            -1, rows[1] - rows[0], columns[1] - columns[0]
        )
        if head is not None and len(visible) > 1:
            visible = visible[head : head + 1]
        return self.change.block(own, head or 0, rows, columns, visible)

    def _cells(self, head: int | None, rows: Tensor, columns: Tensor) -> Tensor:
        """Single weights; for an edited row, the whole row is computed."""
        weights = super()._cells(head, rows, columns)
        gates = torch.ones(self.num_heads, device=weights.device)
        gates[self.change.heads] = self.change.gates
        weights = weights * gates[slice(None) if head is None else slice(head, head + 1), None]
        edited = torch.unique(self.change.rows[:, 1])
        for row in edited[torch.isin(edited, rows)].tolist():
            mine = rows == row
            weights[:, mine] = self.pattern(head, (row, row + 1))[:, 0, columns[mine]]
        return weights

    def columns_seen(self, rows: Range) -> Range:
        """The columns outside which these rows have no weight. An edit may set any of them."""
        seen = super().columns_seen(rows)
        mine = (self.change.cells[:, 1] >= rows[0]) & (self.change.cells[:, 1] < rows[1])
        columns = self.change.cells[mine, 2]
        if len(self.change.given_rows):
            return 0, self.num_keys
        if not len(columns):
            return seen
        return min(seen[0], int(columns.min())), max(seen[1], int(columns.max()) + 1)

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
        if head not in self.change.touched:
            super().fill(head, rows, columns, hidden, log_weights, weights)
            return
        weights.copy_(self.pattern(head, rows, columns)[0])
        torch.log2(weights, out=log_weights).clamp_(min=LOWEST)

    def cut(self, queries: Range, keys: Range) -> AttentionRecord:
        """The same without the padding at either end."""
        cut = super().cut(queries, keys)
        return cut if cut is self else replace(cut, edit=self.change.cut(queries, keys))  # type: ignore[call-arg]
