"""One head as a map: a row for each query token, a column for each key token."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from torch import Tensor

from vitral.errors import VitralError
from vitral.figures.cells import Cells, Range, cells_of
from vitral.figures.colour import Scale
from vitral.figures.furniture import (
    draw_absence,
    draw_frame,
    draw_notes,
    draw_scale,
    draw_title,
    notes_height,
    scale_height,
    scale_width,
    title_height,
)
from vitral.figures.labels import every, warn_of_missing, widest
from vitral.figures.sheet import Sheet, check_matplotlib
from vitral.figures.style import Style, style_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LARGEST_CELL = 2.6
"""In sizes of the letters: a map of three tokens need not fill a page."""
_DRAWN_ONE_BY_ONE = 40
"""Up to so many cells a side each is a shape of its own; beyond, the map is one small image."""


def heat_map(
    weights: Tensor,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
    *,
    allowed: Tensor | None = None,
    rows: Range | None = None,
    columns: Range | None = None,
    reduction: Literal["mean", "max"] = "mean",
    ceiling: float | None = None,
    scale: Scale | None = None,
    lifted: bool = False,
    dark: bool = False,
    width: str | float = "column",
    title: str | None = None,
    language: str | None = None,
) -> "Figure":
    """A matplotlib figure of attention weights [queries, keys].

    Labels are the tokens' texts, None for positions only. `allowed` [queries, keys] is False
    where a mask hides a key: those cells are hatched, not coloured as zero. More than 256 a side
    are drawn as blocks of `reduction`, which the figure says; weights already reduced come with
    the `rows` and `columns` of tokens that they stand for and `allowed` as the share of each
    block. The strongest colour is `ceiling`, by default the largest weight shown. Weights below
    zero are differences: they get the scale "course", whose middle is then zero.

    Raises VitralError `plot_needs_matplotlib`, `figure_width`, `figure_scale`, `figure_ceiling`,
    `figure_not_matrix`, `figure_not_finite`, `figure_labels`.
    """
    check_matplotlib()
    cells = cells_of(weights, allowed, rows, columns, row_labels, column_labels, reduction)
    style = style_of(
        width,
        dark=dark,
        scale=scale or ("course" if cells.signed else "glass"),
        lifted=lifted,
        language=language,
    )
    top_value = cells.greatest if ceiling is None else ceiling
    if not 0 <= top_value < float("inf") or (cells.signed and (style.scale != "course" or lifted)):
        raise VitralError("figure_ceiling", ceiling=ceiling, scale=style.scale)
    warn_of_missing([*(cells.row_labels or []), *(cells.column_labels or []), title or ""])
    floor = f"−{style.number(top_value)}" if cells.signed else None
    scale_words = (style.number(top_value), floor, cells.has_absent)
    layout = _Layout(style, cells, title, scale_words)
    style = layout.style
    sheet = Sheet(style, layout.height)
    draw_title(sheet, title)
    _draw_cells(sheet.axes(*layout.map), style, cells, top_value, layout.pitch)
    layout.draw_labels(sheet)
    draw_scale(sheet, layout.below, *scale_words)
    draw_notes(sheet, layout.below + scale_height(style, *scale_words), layout.notes)
    return sheet.figure


class _Layout:
    """Where everything stands, in points: the map as large as the figure's size allows.

    Where the height allows less than the width, the figure is narrower than asked.
    """

    def __init__(
        self, style: Style, cells: Cells, title: str | None, scale: tuple[str, str | None, bool]
    ) -> None:
        self.style, self.cells = style, cells
        font = style.font
        self.notes = _notes(style, cells)
        self.names = (cells.row_labels, cells.column_labels)
        width, height = self._fit(title, scale)
        if self._label_size() < style.least_font:
            self.names = (self._some_names(0), self._some_names(1))
            width, height = self._fit(title, scale)
        if self.narrower:
            needed = max(self.left + width + 2 * font, scale_width(style, *scale))
            self.style = style = replace(style, width=min(style.width, needed))
        self.top = style.margin + title_height(style, title) + self.above
        self.map = (self.left, self.top, width, height)
        self.below = self.top + height + 0.9 * font
        self.height = height + self._around(title, scale)

    def _fit(self, title: str | None, scale: tuple[str, str | None, bool]) -> tuple[float, float]:
        """The map's width and height with the current names."""
        style, cells = self.style, self.cells
        rows, columns = ([each for each in names or [] if each] for names in self.names)
        self.left = style.margin + 2.2 * style.font + widest(rows, style.font)
        self.above = 2.2 * style.font + widest(columns, style.font)
        across = (style.width - self.left - style.margin) / cells.num_columns
        down = (style.max_height - self._around(title, scale)) / cells.num_rows
        self.narrower = down < min(across, LARGEST_CELL * style.font)
        self.pitch = max(0.01, min(across, down, LARGEST_CELL * style.font))
        return self.pitch * cells.num_columns, self.pitch * cells.num_rows

    def _label_size(self) -> float:
        """How large letters may be for every token to be named; 0 where they cannot be."""
        nameless = None in self.names or self.cells.aggregated
        return 0.0 if nameless else min(self.style.font, self.pitch / 1.12)

    def _some_names(self, axis: int) -> list[str]:
        """Every so-many-eth token's position and name, blanks for the others."""
        cells = self.cells
        labels = (cells.row_labels, cells.column_labels)[axis]
        first, last = (cells.rows, cells.columns)[axis]
        step = every(self.pitch, self.style.font * 1.9)
        named = labels is not None and not cells.aggregated
        texts = labels if named and labels else [""] * (last - first)
        return [
            f"{first + index} {text}".strip() if (first + index) % step == 0 else ""
            for index, text in enumerate(texts)
        ]

    def _around(self, title: str | None, scale: tuple[str, str | None, bool]) -> float:
        """The height of everything but the map."""
        style = self.style
        fixed = title_height(style, title) + scale_height(style, *scale)
        fixed += notes_height(style, self.notes) + self.above
        return fixed + 2 * style.margin + 0.9 * style.font

    def draw_labels(self, sheet: Sheet) -> None:
        """The tokens' names along both edges, and what the edges are."""
        style, (left, top, width, height) = self.style, self.map
        gap = 0.5 * style.font
        size = self._label_size()
        size = size if size >= style.least_font else style.small
        rows, columns = self.names
        for index, name in enumerate(rows or []):
            if name:
                place = top + (index + 0.5) * self.pitch
                sheet.write(
                    left - gap, place, name, size=size, across="right", along="center_baseline"
                )
        for index, name in enumerate(columns or []):
            if name:
                place = left + (index + 0.5) * self.pitch
                sheet.write(place, top - gap, name, size=size, along="center_baseline", rotation=90)
        axis = {"size": style.small, "colour": style.ink.soft}
        sheet.write(
            style.margin,
            top + height / 2,
            style.say("looks"),
            across="center",
            rotation=90,
            **axis,  # type: ignore[arg-type]
        )
        middle = max(left + width / 2, style.margin + 3 * style.font)
        sheet.write(middle, top - self.above, style.say("seen"), across="center", **axis)  # type: ignore[arg-type]


def _notes(style: Style, cells: Cells) -> list[str]:
    if not cells.aggregated:
        return []
    down, across = cells.block
    key = "cell_max" if cells.reduction == "max" else "cell_mean"
    return [
        style.say(key, rows=down, columns=across, tokens=max(cells.num_rows, cells.num_columns))
    ]


def _draw_cells(axes: "Axes", style: Style, cells: Cells, ceiling: float, pitch: float) -> None:
    height, width = cells.values.shape
    if cells.has_absent:
        draw_absence(axes, style)
    ceiling = ceiling or 1.0
    low = -ceiling if cells.signed else 0.0
    values = np.ma.masked_invalid(cells.values)
    colours = style.colour_map()
    if max(height, width) <= _DRAWN_ONE_BY_ONE:
        seam = min(0.08 * style.font, 0.05 * pitch)
        axes.pcolormesh(
            values,
            cmap=colours,
            vmin=low,
            vmax=ceiling,
            edgecolors=style.ink.ground,
            linewidth=seam,
        )
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
    else:
        axes.imshow(
            values, cmap=colours, vmin=low, vmax=ceiling, interpolation="none", aspect="auto"
        )
    draw_frame(axes, style)
