"""Blocks of a trace: the small map of every head, and views of single values."""

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from vitral.errors import VitralError
from vitral.studio.limits import Limits
from vitral.studio.traces.blocks import encode_block, quantize
from vitral.studio.traces.questions import ViewQuestion

if TYPE_CHECKING:
    from vitral.tracing import Trace


class PooledHeader(BaseModel):
    """weight ≈ value / 255 · scale[layer][head]."""

    scale: list[list[float]]


class ViewHeader(BaseModel):
    """Which value the block holds; its rows and columns, [first, one past the last]."""

    address: str
    head: int | None
    rows: list[int]
    columns: list[int]
    reduction: Literal["mean", "max"]


def pooled_block(trace: "Trace", side: int, part: str | None = None) -> bytes:
    """uint8 [layers, heads, s, s'] of a part, by default the first: s is the lesser of `side` and
    the tokens that attend, s' of those attended to. The header holds each head's scale. A layer
    without attention is all zeros.

    Raises VitralError("part_unknown").
    """
    values, scale = quantize(trace.pooled(side, part).nan_to_num(0).numpy())
    record = next(iter(trace.layers(part).values()))
    aggregated = max(record.num_queries, record.num_keys) > side
    return encode_block(values, aggregated=aggregated, **PooledHeader(scale=scale).model_dump())


def view_block(trace: "Trace", asked: ViewQuestion, limits: Limits) -> bytes:
    """float32 [height, width]; the header says which rows and columns it covers.

    Raises VitralError: view_range_wrong, view_too_large, and what `Trace.view` raises.
    """
    rows, columns = asked.rows, asked.columns
    if asked.cell is None:
        height = _cells(asked.height, rows, limits)
        width = _cells(asked.width, columns, limits)
    else:
        height = _cells_of_size(asked.cell, "rows", rows)
        width = _cells_of_size(asked.cell, "columns", columns)
    if height * width > limits.view_cells:
        raise VitralError("view_too_large", height=height, width=width, limit=limits.view_cells)
    view = trace.view(
        asked.address,
        head=asked.head,
        rows=rows,
        columns=columns,
        height=height,
        width=width,
        cell=asked.cell,
        reduction=asked.reduction,
    )
    header = ViewHeader(
        address=asked.address,
        head=asked.head,
        rows=list(view.rows),
        columns=list(view.columns),
        reduction=asked.reduction,
    )
    return encode_block(view.values.numpy(), aggregated=view.aggregated, **header.model_dump())


def _cells(asked: int | None, covered: tuple[int, int] | None, limits: Limits) -> int:
    """How many cells: those requested, but not more than there are numbers."""
    cells = asked or limits.view_side
    return cells if covered is None else max(1, min(cells, covered[1] - covered[0]))


def _cells_of_size(cell: int, name: str, covered: tuple[int, int] | None) -> int:
    """How many cells of a size cover a range, which must be given: a long text has too many."""
    if covered is None:
        raise VitralError("view_range_wrong", name=name, value="")
    return max(1, -(-(covered[1] - covered[0]) // cell))
