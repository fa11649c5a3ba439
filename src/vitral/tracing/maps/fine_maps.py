"""Finer maps of the heads of a very long text, so that any part of it can be shown at once.

The small maps of `pooled_maps` have at most 256 cells a side, so of a text of 131,072 tokens
each cell covers 512 × 512 weights. Zooming in requests cells of 256, 128, 64 … tokens; the larger
ones take seconds to compute again. From `FROM` tokens on, the pass over the pattern therefore
also keeps cells of `CELL` × `CELL` tokens: 1/4096 of the pattern's numbers, which is less than
the queries and keys take up to a quarter of a million tokens.

Cells begin at multiples of `CELL`; the last of a row or column may be narrower.

Shapes: H heads, T queries, S keys, h × w cells.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vitral.tracing.view import Reduction

CELL = 64
"""Tokens along each side of a cell."""
FROM = 16_384
"""Number of tokens above which finer maps are kept: any part of a shorter text is fast."""


@dataclass(frozen=True, eq=False)
class FineMaps:
    """Sums and maxima of the weights of each cell; `shape` is the pattern's, (queries, keys)."""

    sums: Tensor  # float32 [H, h, w]
    maxima: Tensor  # float32 [H, h, w]
    shape: tuple[int, int]
    cell: int

    def region(
        self, head: int, rows: list[int], columns: list[int], reduction: Reduction
    ) -> Tensor | None:
        """One head's cells between these edges [h', w'], combined from whole cells of this map.

        None if an edge would cut through a cell.
        """
        down, across = (
            _places(edges, length, self.cell)
            for edges, length in zip((rows, columns), self.shape, strict=True)
        )
        if down is None or across is None:
            return None
        kept = self.sums if reduction == "mean" else self.maxima
        part = kept[head, down[0] : down[-1], across[0] : across[-1]]
        for dimension, places in enumerate((down, across)):
            sizes = torch.tensor(places).diff().tolist()
            pieces = torch.split(part, sizes, dimension)
            joined = [
                piece.sum(dimension) if reduction == "mean" else piece.amax(dimension)
                for piece in pieces
            ]
            part = torch.stack(joined, dimension)
        if reduction == "max":
            return part
        heights, widths = torch.tensor(rows).diff(), torch.tensor(columns).diff()
        return part / (heights[:, None] * widths[None, :])


def num_cells(length: int, cell: int) -> int:
    """How many cells cover so many tokens."""
    return -(-length // cell)


def are_kept(shape: tuple[int, int]) -> bool:
    """Whether a pattern (queries, keys) is so large that finer maps of it are kept."""
    return max(shape) > FROM


def _places(edges: list[int], length: int, cell: int) -> list[int] | None:
    """The edges, in cells; None if one lies inside a cell."""
    if any(edge % cell and edge != length for edge in edges):
        return None
    return [num_cells(edge, cell) for edge in edges]
