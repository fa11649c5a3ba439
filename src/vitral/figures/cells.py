"""The cells that a figure draws: exact weights, or each one standing for a block of them.

Hidden cells, which a mask keeps a token from seeing, are absent: NaN, not zero. A block of which
only a part is hidden has the mean of the part that is seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vitral.errors import VitralError
from vitral.figures.labels import label

MOST_CELLS = 256
"""A map has at most so many cells a side; more would be finer than print."""
Range = tuple[int, int]


@dataclass(frozen=True)
class Cells:
    """A picture's cells, NaN where absent, and the tokens that they stand for."""

    values: NDArray[np.float32]  # [h, w]
    share: NDArray[np.float32]  # [h, w]: how much of each may be seen
    rows: Range
    columns: Range
    row_labels: list[str] | None  # one for each token of `rows`
    column_labels: list[str] | None
    reduction: str

    @property
    def aggregated(self) -> bool:
        """Whether a cell stands for several weights."""
        height, width = self.values.shape
        return bool(height < self.num_rows or width < self.num_columns)

    @property
    def num_rows(self) -> int:
        return self.rows[1] - self.rows[0]

    @property
    def num_columns(self) -> int:
        return self.columns[1] - self.columns[0]

    @property
    def block(self) -> tuple[int, int]:
        """The largest number of tokens in a cell's rows and in its columns."""
        height, width = self.values.shape
        return -(-self.num_rows // height), -(-self.num_columns // width)

    @property
    def has_absent(self) -> bool:
        return bool(np.isnan(self.values).any())

    @property
    def greatest(self) -> float:
        """The largest value without its sign; 0 where there is none."""
        return float(np.abs(np.nan_to_num(self.values)).max())

    @property
    def signed(self) -> bool:
        """Whether some values are below zero: a difference of weights."""
        return bool(np.nanmin(self.values, initial=0.0) < 0)


def cells_of(
    weights: Tensor,
    allowed: Tensor | None,
    rows: Range | None,
    columns: Range | None,
    row_labels: Sequence[str] | None,
    column_labels: Sequence[str] | None,
    reduction: str = "mean",
    most: tuple[int, int] = (MOST_CELLS, MOST_CELLS),
) -> Cells:
    """Cells [h, w] of `weights` [h', w'], reduced if there are more than `most`.

    `rows` and `columns` are the tokens (first, one past the last) that the weights stand for;
    where those are more than the weights, these are already reduced. `allowed` [h', w'] says
    which weights may be other than zero: boolean, or the share of a cell's weights.

    Raises VitralError `figure_not_matrix`, `figure_not_finite`, `figure_labels`.
    """
    matrix = weights.detach().float().cpu()
    if matrix.dim() != 2 or matrix.numel() == 0:
        raise VitralError("figure_not_matrix", shape=list(matrix.shape))
    if not bool(matrix.isfinite().all()):
        raise VitralError("figure_not_finite")
    share = torch.ones_like(matrix) if allowed is None else allowed.detach().float().cpu()
    rows = (0, matrix.shape[0]) if rows is None else rows
    columns = (0, matrix.shape[1]) if columns is None else columns
    if matrix.shape[0] > most[0] or matrix.shape[1] > most[1]:
        matrix = reduced(matrix, most, reduction)
        share = reduced(share, most, "mean")
    if reduction == "mean":  # of all, over how much of it is seen: the mean of what is seen
        matrix = matrix / share.clamp_min(1e-12)
    values = matrix.masked_fill(share == 0, float("nan")).numpy()
    return Cells(
        values,
        share.numpy(),
        rows,
        columns,
        _checked(row_labels, rows),
        _checked(column_labels, columns),
        reduction,
    )


def edges(length: int, num_cells: int) -> list[int]:
    """Where each of at most `num_cells` cells begins, and the last ends, among `length`."""
    num_cells = min(length, num_cells)
    return [cell * length // num_cells for cell in range(num_cells + 1)]


def reduced(matrix: Tensor, most: tuple[int, int], reduction: str) -> Tensor:
    """[h', w'] → [h, w] with at most `most` cells, the mean or the maximum of each block."""
    values = matrix.numpy()
    for axis in (0, 1):
        if values.shape[axis] > most[axis]:
            bounds = edges(values.shape[axis], most[axis])
            if reduction == "max":
                values = np.maximum.reduceat(values, bounds[:-1], axis=axis)
            else:
                sizes = np.diff(bounds).astype(values.dtype)
                sums = np.add.reduceat(values, bounds[:-1], axis=axis)
                values = sums / (sizes[:, None] if axis == 0 else sizes)
    return torch.from_numpy(values)


def _checked(labels: Sequence[str] | None, tokens: Range) -> list[str] | None:
    if labels is None:
        return None
    if len(labels) != tokens[1] - tokens[0]:
        raise VitralError("figure_labels", given=len(labels), needed=tokens[1] - tokens[0])
    return [label(text) for text in labels]
