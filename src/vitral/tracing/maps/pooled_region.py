"""A part of one head's pattern, drawn in a few cells, without its weights all in memory.

The same result as `view`, computed for a pattern as `blocked_pass` does it: in blocks that fit
the cache, over neighbouring rows first, and without fully masked blocks.

Shapes: h × w cells.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vitral.tracing.attention.blocked_pass import (
    column_cells,
    hidden_columns,
    over_rows,
    row_blocks,
)
from vitral.tracing.attention.visibility import Range
from vitral.tracing.view import Reduction, cell_edges

if TYPE_CHECKING:
    from vitral.tracing.attention.attention_record import AttentionRecord

WIDTH = 1024
"""Columns of a block."""


def pooled_region(
    record: "AttentionRecord",
    head: int,
    rows: Range,
    columns: Range,
    size: Range,
    reduction: Reduction = "mean",
) -> Tensor:
    """The mean or maximum of each cell: float32 [h, w], at most `size`.

    Cells as in `view.cell_edges`, weights as in `record.pattern`.
    """
    edges = cell_edges(*rows, size[0]), cell_edges(*columns, size[1])
    return pooled_at_edges(record, head, *edges, reduction)


@torch.no_grad()
def pooled_at_edges(
    record: "AttentionRecord",
    head: int,
    row_edges: list[int],
    column_edges: list[int],
    reduction: Reduction = "mean",
) -> Tensor:
    """The same, for cells that lie between given edges."""
    columns = (column_edges[0], column_edges[-1])
    from_first = [edge - columns[0] for edge in column_edges]
    width = columns[1] - columns[0]
    device = record.query.device
    parts = []
    for first, last in row_blocks(row_edges):
        edges = row_edges[first : last + 1]
        seen = record.columns_seen((edges[0], edges[-1]))
        start, end = max(seen[0], columns[0]), min(seen[1], columns[1])
        over = torch.zeros(len(edges) - 1, width, device=device)
        for left in range(start, end, WIDTH):
            block = (edges[0], edges[-1]), (left, min(left + WIDTH, end))
            shape = [b - a for a, b in block]
            log_weights, weights = (torch.empty(shape, device=device) for _ in range(2))
            hidden = None
            if not record.visibility.is_all_seen(*block):
                visible = record.visibility.block(*block).to(device)
                hidden = hidden_columns(visible.expand(-1, shape[0], -1))
            record.fill(head, *block, hidden, log_weights, weights)
            across = slice(left - columns[0], block[1][1] - columns[0])
            over_rows(weights, edges, {reduction: over[:, across]})
        parts.append(column_cells(over, from_first, reduction))
    pooled = torch.cat(parts).cpu()
    if reduction == "max":
        return pooled
    heights, widths = (torch.tensor(edges).diff() for edges in (row_edges, column_edges))
    return pooled / (heights[:, None] * widths[None, :])
