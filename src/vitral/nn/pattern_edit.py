"""The edits of an attention's patterns: which rows, which cells, by how much.

A pattern is never kept (see `scaled_dot_product`), so neither is an edited one. What is kept is
the way from one to the other, in numbers that grow with the rows and cells that an edit
touches:

    edited[t, s] = gate · (scale[t] · base[t, s])     but for single cells, which have a value

`base` is the model's own row; or one that is even over the keys that it sees; or a row that
was given. Any block of an edited pattern comes from the same block of the model's own.

Shapes: H heads, T queries, S keys; r × c a block.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

Range = tuple[int, int]


@dataclass(frozen=True, eq=False)
class PatternEdit:
    """The edits of one attention of one sequence; see the head of the file.

    Each of the tensors has an entry for each head, row or cell that is touched; places are
    int64, in columns of (head), (head, row) and (head, row, column).
    """

    heads: Tensor  # [g]
    gates: Tensor  # float32 [g]
    rows: Tensor  # [n, 2]
    scales: Tensor  # float32 [n]
    evens: Tensor  # float32 [n]: 1 / the number of keys allowed, where the base is even; else 0
    cells: Tensor  # [m, 3]
    values: Tensor  # float32 [m]
    given_rows: Tensor  # [k, 2]
    given: Tensor  # float32 [k, S]

    @property
    def touched(self) -> set[int]:
        """The heads whose pattern is no longer the model's own."""
        return {*self.heads.tolist(), *self.rows[:, 0].tolist()}

    def block(
        self, weights: Tensor, first_head: int, rows: Range, columns: Range, visible: Tensor
    ) -> Tensor:
        """The edited weights [h, r, c] of some heads, rows and columns, from the model's own.

        `visible` [1 or h, r, c] says which cells may be looked at.
        """
        weights = weights.clone()
        head, row, mine = self._within(self.rows, first_head, len(weights), rows)
        even = self.evens[mine]
        flat = even > 0
        of_head = head[flat] if len(visible) > 1 else torch.zeros_like(head[flat])
        weights[head[flat], row[flat]] = (
            visible[of_head, row[flat]].to(weights.device) * even[flat, None]
        )
        given_head, given_row, given = self._within(self.given_rows, first_head, len(weights), rows)
        weights[given_head, given_row] = self.given[given][:, slice(*columns)]
        weights[head, row] *= self.scales[mine, None]
        head, row, mine = self._within(self.cells, first_head, len(weights), rows)
        column = self.cells[mine, 2] - columns[0]
        inside = (column >= 0) & (column < weights.shape[2])
        weights[head[inside], row[inside], column[inside]] = self.values[mine][inside]
        chosen = (self.heads >= first_head) & (self.heads < first_head + len(weights))
        weights[self.heads[chosen] - first_head] *= self.gates[chosen, None, None]
        return weights

    def cut(self, queries: Range, keys: Range) -> "PatternEdit":
        """What is left of it for some neighbouring queries and keys, counted from the first."""
        start = torch.tensor([0, queries[0], keys[0]], device=self.rows.device)
        of_row = _inside(self.rows[:, 1], queries)
        of_given = _inside(self.given_rows[:, 1], queries)
        of_cell = _inside(self.cells[:, 1], queries) & _inside(self.cells[:, 2], keys)
        return replace(
            self,
            rows=self.rows[of_row] - start[:2],
            scales=self.scales[of_row],
            evens=self.evens[of_row],
            cells=self.cells[of_cell] - start,
            values=self.values[of_cell],
            given_rows=self.given_rows[of_given] - start[:2],
            given=self.given[of_given][:, slice(*keys)],
        )

    def fits(self, num_heads: int, num_queries: int, num_keys: int) -> bool:
        """Whether every place is one of an attention of that size, and every number is one."""
        most = torch.tensor([num_heads, num_queries, num_keys])
        return (
            all(
                places.dtype == torch.int64
                and places.shape == (len(numbers), width)
                and bool(((places >= 0) & (places < most[:width])).all())
                for places, numbers, width in (
                    (self.heads[:, None], self.gates, 1),
                    (self.rows, self.scales, 2),
                    (self.cells, self.values, 3),
                    (self.given_rows, self.given, 2),
                )
            )
            and self.evens.shape == self.scales.shape
            and self.given.shape[1:] == (num_keys,)
            and all(
                numbers.dtype == torch.float32 and bool(numbers.isfinite().all())
                for numbers in (self.gates, self.scales, self.evens, self.values, self.given)
            )
        )

    @staticmethod
    def _within(
        places: Tensor, first_head: int, num_heads: int, rows: Range
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Head and row of the places in a block, counted within it, and which places they are."""
        head, row = places[:, 0] - first_head, places[:, 1] - rows[0]
        inside = (head >= 0) & (head < num_heads) & (row >= 0) & (row < rows[1] - rows[0])
        mine = inside.nonzero()[:, 0]
        return head[mine], row[mine], mine


def joined(edits: Sequence[tuple[PatternEdit, int, int]], num_keys: int) -> PatternEdit:
    """One edit of several passes' rows laid end to end. Each comes with its first row and key."""
    moved = []
    for edit, row, key in edits:
        start = torch.tensor([0, row, key], device=edit.rows.device)
        given = edit.given.new_zeros(len(edit.given), num_keys)
        given[:, key : key + edit.given.shape[1]] = edit.given
        moved.append(
            replace(
                edit,
                rows=edit.rows + start[:2],
                cells=edit.cells + start,
                given_rows=edit.given_rows + start[:2],
                given=given,
            )
        )
    together = {
        name: torch.cat([getattr(each, name) for each in moved])
        for name in vars(moved[0])
        if name not in ("heads", "gates")
    }
    return replace(moved[0], **together)


def _inside(places: Tensor, span: Range) -> Tensor:
    return (places >= span[0]) & (places < span[1])
