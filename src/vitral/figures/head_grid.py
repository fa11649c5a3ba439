"""All heads of a model, each as a small map: rows are layers, the first at the bottom, as a
sentence rises through the model; columns are heads."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vitral.errors import VitralError
from vitral.figures.cells import Range, reduced
from vitral.figures.colour import Scale
from vitral.figures.furniture import (
    draw_absence,
    draw_frame,
    draw_notes,
    draw_scale,
    draw_title,
    notes_height,
    scale_height,
    title_height,
)
from vitral.figures.labels import warn_of_missing
from vitral.figures.sheet import Sheet, check_matplotlib
from vitral.figures.style import Style, style_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANE = 48
"""A pane has at most so many cells a side."""
_GAP = 0.1  # the lead between two panes, in widths of a pane


def head_grid(
    maps: Tensor,
    *,
    layers: Sequence[int] | None = None,
    allowed: Tensor | None = None,
    rows: Range | None = None,
    columns: Range | None = None,
    shared: bool = False,
    scale: Scale = "glass",
    lifted: bool = False,
    dark: bool = False,
    width: str | float = "column",
    title: str | None = None,
    language: str | None = None,
) -> "Figure":
    """A matplotlib figure of every head's map [layers, heads, queries, keys], pooled or whole.

    Each head has a scale of its own, from zero to the largest weight in its pane, unless all
    have a `shared` one; the figure says which. `layers` are their numbers, by default from 0.
    `allowed` ([queries, keys], or one a layer or head), `rows` and `columns` are those of
    `heat_map`. Panes have at most 48 cells a side, means where they stand for more.

    Raises VitralError `plot_needs_matplotlib`, `figure_width`, `figure_scale`,
    `figure_not_grid`, `figure_not_finite`, `figure_signed`.
    """
    check_matplotlib()
    style = style_of(width, dark=dark, scale=scale, lifted=lifted, language=language)
    panes, block = _panes(maps, allowed, rows, columns)
    warn_of_missing([title or ""])
    num_layers, num_heads = panes.shape[:2]
    greatest = np.nan_to_num(panes).max(axis=(2, 3), keepdims=True)
    ceiling = greatest.max() if shared else greatest
    panes = (panes / np.where(ceiling > 0, ceiling, 1)).astype(np.float32)
    notes = _notes(style, float(greatest.max()), block, shared=shared)

    font, margin = style.font, style.margin
    left = margin + 1.7 * font + 1.6 * font
    words = style.number(float(greatest.max())) if shared else style.say("own_greatest")
    scale_words = (words, None, bool(np.isnan(panes).any()))
    legend = scale_height(style, *scale_words)
    fixed = title_height(style, title) + legend + notes_height(style, notes)
    room = style.max_height - fixed - 2 * margin - 4 * font
    across = (style.width - left - margin) / num_heads
    side = min(across, room / num_layers, 16 * font)
    top = margin + title_height(style, title) + 0.2 * font
    below = top + num_layers * side + 3.4 * font
    height = below + legend + notes_height(style, notes) + margin
    sheet = Sheet(style, height)
    draw_title(sheet, title)
    small = min(style.small, max(style.least_font * 0.8, side * 0.7))
    soft = style.ink.soft
    centre = {"across": "center", "along": "center_baseline"}
    for layer in range(num_layers):
        middle = top + (num_layers - layer - 0.5) * side
        if side >= small or layer % 5 == 0:
            name = str(layer if layers is None else layers[layer])
            sheet.write(left - 0.9 * font, middle, name, size=small, **centre)  # type: ignore[arg-type]
    for head in range(num_heads):
        middle = left + (head + 0.5) * side
        if side >= 1.3 * small or head % 5 == 0:
            place = top + num_layers * side + 0.9 * font
            sheet.write(middle, place, str(head), size=small, **centre)  # type: ignore[arg-type]
    axis = {"size": style.small, "colour": soft, **centre}
    middle = top + num_layers * side / 2
    sheet.write(margin + 0.6 * font, middle, style.say("layer"), rotation=90, **axis)  # type: ignore[arg-type]
    under = top + num_layers * side + 2.3 * font
    sheet.write(left + num_heads * side / 2, under, style.say("head"), **axis)  # type: ignore[arg-type]

    inside = side * (1 - _GAP)
    for layer in range(num_layers):
        for head in range(num_heads):
            x = left + head * side + (side - inside) / 2
            y = top + (num_layers - 1 - layer) * side + (side - inside) / 2
            axes = sheet.axes(x, y, inside, inside)
            pane = np.ma.masked_invalid(panes[layer, head])
            if pane.mask.any():
                draw_absence(axes, style)
            axes.imshow(
                pane,
                cmap=style.colour_map(),
                vmin=0,
                vmax=1,
                interpolation="none",
                aspect="auto",
            )
            draw_frame(axes, style)
    draw_scale(sheet, below, *scale_words)
    draw_notes(sheet, below + legend, notes)
    return sheet.figure


def _panes(
    maps: Tensor, allowed: Tensor | None, rows: Range | None, columns: Range | None
) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Cells [layers, heads, s, s'], NaN where absent, and how many weights a cell stands for."""
    grid = maps.detach().float().cpu()
    if grid.dim() != 4 or grid.numel() == 0:
        raise VitralError("figure_not_grid", shape=list(grid.shape))
    if not bool(grid.isfinite().all()):
        raise VitralError("figure_not_finite")
    if bool((grid < 0).any()):
        raise VitralError("figure_signed")
    num_rows = grid.shape[2] if rows is None else rows[1] - rows[0]
    num_columns = grid.shape[3] if columns is None else columns[1] - columns[0]
    layers, heads = grid.shape[:2]
    most = (PANE, PANE)
    flat = [reduced(each, most, "mean") for each in grid.flatten(0, 1)]
    small = flat[0].shape
    panes = torch.stack(flat)
    if allowed is not None:
        every = allowed.detach().float().cpu().expand_as(grid).flatten(0, 1)
        share = torch.stack([reduced(each, most, "mean") for each in every])
        panes = (panes / share.clamp_min(1e-12)).masked_fill(share == 0, float("nan"))
    values = panes.reshape(layers, heads, *small).numpy()
    return values, (-(-num_rows // small[0]), -(-num_columns // small[1]))


def _notes(style: Style, greatest: float, block: tuple[int, int], *, shared: bool) -> list[str]:
    notes = []
    if not shared:
        notes.append(style.say("own_scale", weight=style.number(greatest)))
    if block != (1, 1):
        notes.append(style.say("cell_mean_short", rows=block[0], columns=block[1]))
    return notes
