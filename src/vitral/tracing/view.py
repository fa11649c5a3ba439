"""Views: a matrix in as many cells as fit on a screen.

A view has rows, columns and a size in cells. If there are enough cells, they are exact; otherwise
rows and columns are distributed over the cells as evenly as possible, and each cell is the mean
or the maximum of the numbers that it covers. The matrix is read in blocks of rows, so it never
has to exist as a whole.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from vitral.tracing.attention.visibility import Range

Reduction = Literal["mean", "max"]


@dataclass(frozen=True)
class View:
    """Some rows and columns of a matrix, [h, w] cells as float32.

    `rows` and `columns` (first, one past the last) are the part of the matrix that is shown.
    `aggregated` is true if a cell covers more than one number.
    """

    values: Tensor
    aggregated: bool
    rows: Range
    columns: Range


def cell_edges(first: int, last: int, num_cells: int) -> list[int]:
    """The edges of the cells that divide [first, last): one more than there are cells.

    Never more cells than entries; each cell gets either ⌊n/c⌋ or ⌈n/c⌉ entries.
    """
    length = last - first
    num_cells = min(num_cells, length)
    return [first + cell * length // num_cells for cell in range(num_cells + 1)]


def edges_of_size(first: int, last: int, cell: int) -> list[int]:
    """The edges of cells of `cell` entries in [first, last); the last cell may be narrower."""
    return [*range(first, last, cell), last]


def reduce_blocks(
    block: Callable[[Range], Tensor],
    row_blocks: Iterable[Range],
    columns: Range,
    size: tuple[int, int],
    reduction: Reduction = "mean",
) -> Tensor:
    """A matrix [..., rows, columns] reduced to [..., h, w], h and w at most `size`.

    `block((a, b))` gives the matrix's rows a … b−1 in full width; `row_blocks` are the ranges
    it is asked for, in order and without gaps.
    """
    ranges = list(row_blocks)
    row_edges = cell_edges(ranges[0][0], ranges[-1][1], size[0])
    return reduce_at_edges(block, ranges, row_edges, cell_edges(*columns, size[1]), reduction)


def reduce_at_edges(
    block: Callable[[Range], Tensor],
    ranges: list[Range],
    row_edges: list[int],
    column_edges: list[int],
    reduction: Reduction = "mean",
) -> Tensor:
    """The same, for cells that lie between given edges."""
    row_cell = _cell_of_each(row_edges)
    column_cell = _cell_of_each(column_edges)
    shape = (len(row_edges) - 1, len(column_edges) - 1)
    gather = _sums if reduction == "mean" else _maxima
    result: Tensor | None = None
    for first, last in ranges:
        part = block((first, last)).float().cpu()
        mine = row_cell[first - row_edges[0] : last - row_edges[0]]
        cells = gather(part, mine, column_cell, shape)
        if result is None:
            result = cells
        else:
            result = result + cells if reduction == "mean" else torch.maximum(result, cells)
    assert result is not None
    if reduction == "mean":
        heights, widths = torch.tensor(row_edges).diff(), torch.tensor(column_edges).diff()
        result = result / (heights[:, None] * widths[None, :])
    return result


def _cell_of_each(edges: list[int]) -> Tensor:
    return torch.arange(len(edges) - 1).repeat_interleave(torch.tensor(edges).diff())


def _sums(part: Tensor, rows: Tensor, columns: Tensor, shape: tuple[int, int]) -> Tensor:
    """Each cell's sum over the part [..., r, c], as two products with matrices of 0 and 1."""
    left = F.one_hot(rows, shape[0]).float()
    right = F.one_hot(columns, shape[1]).float()
    narrow = part.reshape(-1, part.shape[-1]) @ right
    return left.T @ narrow.view(*part.shape[:-1], shape[1])


def _maxima(part: Tensor, rows: Tensor, columns: Tensor, shape: tuple[int, int]) -> Tensor:
    """Each cell's maximum over the part [..., r, c]; −∞ where the part has none of its rows."""
    least = float("-inf")
    narrow = torch.full((*part.shape[:-1], shape[1]), least)
    narrow.scatter_reduce_(-1, columns.expand_as(part), part, "amax")
    cells = torch.full((*part.shape[:-2], *shape), least)
    return cells.scatter_reduce_(-2, rows[:, None].expand_as(narrow), narrow, "amax")
