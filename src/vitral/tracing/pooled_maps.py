"""A small map of every head: the pattern, at most 256 × 256, however long the text.

Rows and columns are shared out evenly among the cells (`view.cell_edges`), and each cell keeps
the mean and the maximum of the weights that it stands for. Smaller maps are made from these,
so their cells stand for whole cells of the first.

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
        rows, columns = (self._edges(length, size) for length in self.shape)
        if reduction == "max":
            return _joined(_joined(self.maximum, rows[0], -2, "max"), columns[0], -1, "max")
        areas = [cell_edges(0, n, LARGEST) for n in self.shape]
        heights, widths = (torch.tensor(edges).diff().float() for edges in areas)
        sums = self.mean * (heights[:, None] * widths[None, :])
        sums = _joined(_joined(sums, rows[0], -2, "mean"), columns[0], -1, "mean")
        return sums / (rows[1][:, None] * columns[1][None, :])

    @staticmethod
    def _edges(length: int, size: int) -> tuple[list[int], Tensor]:
        """Where the joined cells begin, in cells of the kept map; how many tokens each has."""
        fine = cell_edges(0, length, LARGEST)
        coarse = cell_edges(0, len(fine) - 1, size)
        return coarse, torch.tensor([fine[edge] for edge in coarse]).diff().float()


def _joined(maps: Tensor, edges: list[int], dimension: int, reduction: Reduction) -> Tensor:
    if len(edges) - 1 == maps.shape[dimension]:
        return maps
    parts = torch.split(maps, torch.tensor(edges).diff().tolist(), dimension)
    joined = [
        part.sum(dimension) if reduction == "mean" else part.amax(dimension) for part in parts
    ]
    return torch.stack(joined, dimension)
