"""A value of a trace in fewer cells than it has numbers: one head's view, every head's small map.

Cells of a pattern come from its kept maps if these are fine enough and have the same edges;
otherwise they are computed from the weights, block by block.

Shapes: H heads, h × w cells.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vitral.errors import VitralError, is_whole
from vitral.nn.scaled_dot_product import CELLS_AT_ONCE
from vitral.tracing.addresses import split_attention
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.visibility import Range
from vitral.tracing.maps.pooled_maps import LARGEST, map_edges
from vitral.tracing.maps.pooled_region import pooled_at_edges
from vitral.tracing.view import Reduction, View, cell_edges, edges_of_size, reduce_at_edges

if TYPE_CHECKING:
    from vitral.tracing.trace import Trace


def view_of(
    trace: "Trace",
    address: str,
    head: int | None,
    *,
    rows: Range | None,
    columns: Range | None,
    height: int,
    width: int,
    cell: int | None,
    reduction: Reduction,
) -> View:
    """The result of `Trace.view`, with its errors."""
    shape, block = _matrix(trace, address, head)
    rows = _range(rows, shape[0], "rows_out_of_range")
    columns = _range(columns, shape[1], "columns_out_of_range")
    if not is_size(height) or not is_size(width) or reduction not in ("mean", "max"):
        raise VitralError("view_size", height=height, width=width, reduction=reduction)
    if cell is not None and not is_size(cell):
        raise VitralError("view_size", height=cell, width=cell, reduction=reduction)
    if cell is None:
        edges = cell_edges(*rows, height), cell_edges(*columns, width)
    else:
        edges = edges_of_size(*rows, cell), edges_of_size(*columns, cell)
    size = len(edges[0]) - 1, len(edges[1]) - 1
    aggregated = size != (rows[1] - rows[0], columns[1] - columns[0])
    record = trace.attentions.get(split_attention(address)[0])
    blocks = _row_blocks(rows, columns[1] - columns[0])
    if aggregated and isinstance(record, AttentionRecord) and address.endswith(".pattern"):
        values = _region(record, checked_head(record.num_heads, head), *edges, reduction)
    elif aggregated:
        values = reduce_at_edges(lambda some: block(some, columns), blocks, *edges, reduction)
    else:
        values = torch.cat([block(some, columns).float().cpu() for some in blocks])
    return View(values, aggregated, rows, columns)


def is_size(value: object) -> bool:
    """Whether a value is a number of cells."""
    return isinstance(value, int) and value >= 1


def pooled_map(record: AttentionRecord, size: int, reduction: Reduction) -> Tensor:
    """One attention's maps [H, s, s'], from the kept ones if these are fine enough.

    Means without kept maps are computed from the pattern directly: measuring it takes five times
    as long, and is done only when its other results are needed.
    """
    shape = (record.num_queries, record.num_keys)
    fine_enough = size <= LARGEST or max(shape) <= LARGEST
    if fine_enough and (record.is_measured or reduction == "max"):
        return record.measures.maps.at(size, reduction)
    rows, columns = (
        map_edges(length, size) if fine_enough else cell_edges(0, length, size) for length in shape
    )
    blocks = list(record.row_blocks(record.num_heads))
    return reduce_at_edges(
        lambda some: record.pattern(None, some), blocks, rows, columns, reduction
    )


def _region(
    record: AttentionRecord,
    head: int,
    rows: list[int],
    columns: list[int],
    reduction: Reduction,
) -> Tensor:
    """A part of a pattern in cells [h, w] between edges: from the kept maps if they have the same
    edges."""
    shape = (record.num_queries, record.num_keys)
    size = len(rows) - 1, len(columns) - 1
    even = [cell_edges(0, *each) for each in zip(shape, size, strict=True)]
    if record.is_measured and even == [rows, columns]:
        found = record.measures.maps.exactly(size, reduction)
        if found is not None:
            return found[head]
    if record.is_measured and record.measures.fine is not None:
        fine = record.measures.fine.region(head, rows, columns, reduction)
        if fine is not None:
            return fine
    return pooled_at_edges(record, head, rows, columns, reduction)


def checked_head(num_heads: int, head: int | None) -> int:
    """`head`, checked. Raises VitralError `head_needed`, `head_out_of_range`."""
    if head is None:
        raise VitralError("head_needed", num_heads=num_heads)
    if not is_whole(head) or not 0 <= head < num_heads:
        raise VitralError("head_out_of_range", head=head, num_heads=num_heads)
    return head


def _matrix(
    trace: "Trace", address: str, head: int | None
) -> tuple[tuple[int, int], Callable[[Range, Range], Tensor]]:
    """The matrix at an address: its shape, and the function that computes a block of it."""
    prefix, part = split_attention(address)
    record = trace.attentions.get(prefix)
    if record is not None and part == "pattern":
        one = checked_head(record.num_heads, head)
        shape = (record.num_queries, record.num_keys)
        return shape, lambda rows, columns: record.pattern(one, rows, columns)[0]
    value = trace[address]
    if value.dim() == 3:
        value = value[checked_head(len(value), head)]
    matrix = value[None] if value.dim() == 1 else value
    shape = (matrix.shape[0], matrix.shape[1])
    return shape, lambda rows, columns: matrix[slice(*rows), slice(*columns)]


def _range(asked: Range | None, length: int, key: str) -> Range:
    if asked is None:
        return 0, length
    if not isinstance(asked, tuple | list) or len(asked) != 2:
        raise TypeError(f"rows and columns are (first, one past the last), not {asked!r}")
    first, last = asked
    if not (is_whole(first) and is_whole(last)) or not 0 <= first < last <= length:
        raise VitralError(key, first=first, last=last, length=length)
    return first, last


def _row_blocks(rows: Range, num_columns: int) -> list[Range]:
    step = max(1, CELLS_AT_ONCE // num_columns)
    return [(first, min(first + step, rows[1])) for first in range(*rows, step)]
