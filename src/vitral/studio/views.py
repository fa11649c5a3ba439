"""Cutting a trace into blocks: the small map of every head, and views of single values."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vitral.errors import VitralError
from vitral.studio.blocks import encode_block, quantize
from vitral.studio.limits import Limits

if TYPE_CHECKING:
    from vitral.tracing import Trace

_RANGE = re.compile(r"([0-9]{1,9}):([0-9]{1,9})")


@dataclass(frozen=True)
class ViewRequest:
    """Which part of which value, and into how many cells: as it stands in the request.

    `rows` and `columns` are "a:b" (b not included) or None for all; `height` and `width` are
    cells, or None for the side that Studio chooses. With `cell`, each cell is just so many rows
    and columns, whatever `height` and `width` say.
    """

    address: str
    head: int | None
    rows: str | None
    columns: str | None
    height: int | None
    width: int | None
    reduction: Literal["mean", "max"]
    cell: int | None = None


def pooled_block(trace: "Trace", side: int, part: str | None = None) -> bytes:
    """uint8 [layers, heads, s, s'] of a part, by default the first: s is the lesser of `side` and
    the tokens that look, s' of those looked at. The header holds each head's scale. A layer without
    attention is all zeros.

    Raises VitralError("part_unknown").
    """
    values, scale = quantize(trace.pooled(side, part).nan_to_num(0).numpy())
    record = next(iter(trace.layers(part).values()))
    aggregated = max(record.num_queries, record.num_keys) > side
    return encode_block(values, aggregated=aggregated, scale=scale)


def view_block(trace: "Trace", request: ViewRequest, limits: Limits) -> bytes:
    """float32 [height, width]; the header says which rows and columns it covers.

    Raises VitralError: view_range_wrong, view_too_large, and what `Trace.view` raises.
    """
    rows = _range("rows", request.rows)
    columns = _range("columns", request.columns)
    if request.cell is None:
        height = _cells(request.height, rows, limits)
        width = _cells(request.width, columns, limits)
    else:
        height = _cells_of_size(request.cell, "rows", rows)
        width = _cells_of_size(request.cell, "columns", columns)
    if height * width > limits.view_cells:
        raise VitralError("view_too_large", height=height, width=width, limit=limits.view_cells)
    view = trace.view(
        request.address,
        head=request.head,
        rows=rows,
        columns=columns,
        height=height,
        width=width,
        cell=request.cell,
        reduction=request.reduction,
    )
    return encode_block(
        view.values.numpy(),
        aggregated=view.aggregated,
        address=request.address,
        head=request.head,
        rows=list(view.rows),
        columns=list(view.columns),
        reduction=request.reduction,
    )


def _range(name: str, text: str | None) -> tuple[int, int] | None:
    """ "3:8" as (3, 8). Raises VitralError("view_range_wrong")."""
    if text is None:
        return None
    match = _RANGE.fullmatch(text)
    if match is None:
        raise VitralError("view_range_wrong", name=name, value=text[:40])
    return int(match[1]), int(match[2])


def _cells(asked: int | None, covered: tuple[int, int] | None, limits: Limits) -> int:
    """How many cells: those asked for, but not more than there are numbers."""
    cells = asked or limits.view_side
    return cells if covered is None else max(1, min(cells, covered[1] - covered[0]))


def _cells_of_size(cell: int, name: str, covered: tuple[int, int] | None) -> int:
    """How many cells of a size cover a range, which must be given: a long text has too many."""
    if covered is None:
        raise VitralError("view_range_wrong", name=name, value="")
    return max(1, -(-(covered[1] - covered[0]) // cell))
