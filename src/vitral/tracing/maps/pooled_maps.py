"""A small map of every head: the pattern, at most 256 × 256, however long the text.

Rows and columns are distributed evenly over the cells (`view.cell_edges`), and each cell keeps
the mean and the maximum of the weights that it covers. Smaller maps are computed from these, so
their cells cover whole cells of the first.

Shapes: H heads, h × w cells.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vitral.tracing.view import Reduction, cell_edges

LARGEST = 256
"""Cells along each side of the maps that are kept."""


@dataclass(frozen=True, eq=False)
class PooledMaps:
    """The maps of one attention's heads; `shape` is the pattern's, (queries, keys)."""

    mean: Tensor  # float32 [H, h, w]
    maximum: Tensor  # float32 [H, h, w]
    shape: tuple[int, int]

    def at(self, size: int, reduction: Reduction = "mean") -> Tensor:
        """The maps with at most `size` × `size` cells, size ≤ 256: float32 [H, h', w']."""
        rows, columns = (_union(length, size) for length in self.shape)
        return self._joined(rows, columns, reduction)

    def exactly(self, size: tuple[int, int], reduction: Reduction = "mean") -> Tensor | None:
        """The maps with cells distributed evenly over the tokens, as in `view`: [H, h', w'].

        None if such a cell would cut through a kept one.
        """
        found = [_cells_between(*each) for each in zip(self.shape, size, strict=True)]
        if found[0] is None or found[1] is None:
            return None
        return self._joined(found[0], found[1], reduction)

    def _joined(self, rows: list[int], columns: list[int], reduction: Reduction) -> Tensor:
        if reduction == "max":
            return _joined(_joined(self.maximum, rows, -2, "max"), columns, -1, "max")
        fine = [torch.tensor(cell_edges(0, length, LARGEST)) for length in self.shape]
        heights, widths = (edges.diff().float() for edges in fine)
        sums = self.mean * (heights[:, None] * widths[None, :])
        sums = _joined(_joined(sums, rows, -2, "mean"), columns, -1, "mean")
        heights, widths = (
            edges[cells].diff() for edges, cells in zip(fine, (rows, columns), strict=True)
        )
        return sums / (heights[:, None] * widths[None, :])


def map_edges(length: int, size: int) -> list[int]:
    """Where the cells of a map with at most `size` of them begin, in tokens; see the file's head.

    Its last entry is `length`. These are the cells of `PooledMaps.at`.
    """
    fine = cell_edges(0, length, LARGEST)
    return [fine[cell] for cell in _union(length, size)]


def _union(length: int, size: int) -> list[int]:
    """Where larger cells begin, in cells of the kept map: each covers whole ones."""
    return cell_edges(0, min(length, LARGEST), size)


def _cells_between(length: int, size: int) -> list[int] | None:
    """Where even cells begin, in cells of the kept map; None if not at its edges."""
    fine = {edge: cell for cell, edge in enumerate(cell_edges(0, length, LARGEST))}
    found = [fine.get(edge) for edge in cell_edges(0, length, size)]
    return None if None in found else [cell for cell in found if cell is not None]


def _joined(maps: Tensor, edges: list[int], dimension: int, reduction: Reduction) -> Tensor:
    if len(edges) - 1 == maps.shape[dimension]:
        return maps
    parts = torch.split(maps, torch.tensor(edges).diff().tolist(), dimension)
    joined = [
        part.sum(dimension) if reduction == "mean" else part.amax(dimension) for part in parts
    ]
    return torch.stack(joined, dimension)
