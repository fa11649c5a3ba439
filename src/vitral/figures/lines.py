"""One head as lines: query tokens on the left, key tokens on the right.

The thicker and the further along the scale of colours a line is, the larger its weight. A text
of more tokens than fit one below another is drawn in groups of neighbouring tokens; a line then
stands for the attention from one group to another, averaged over the queries and summed over the
keys, so that each group's attention still sums to one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vitral.errors import VitralError
from vitral.figures.cells import Cells, Range, cells_of, edges
from vitral.figures.colour import Scale, ramp
from vitral.figures.furniture import (
    draw_notes,
    draw_scale,
    draw_title,
    notes_height,
    scale_height,
    title_height,
)
from vitral.figures.labels import LONGEST, shortened, warn_of_missing, widest
from vitral.figures.sheet import Sheet, check_matplotlib
from vitral.figures.style import Style, style_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAINTEST = 0.01
"""A smaller weight has no line; the figure says how much of the attention that leaves out."""
_PITCH = 1.55  # from one token to the next, in sizes of the letters
_LEAST_BETWEEN = 0.3  # of the figure's width: names are cut shorter rather than the lines
_FIRST = 0.2  # where on the scale lines begin: its first colours are those of the ground


def most_lines(width: str | float = "column") -> int:
    """How many tokens a figure of this width names one by one; longer texts are grouped."""
    style = style_of(width)
    return int((style.max_height - 12 * style.font) / (_PITCH * style.font))


def lines(
    weights: Tensor,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
    *,
    token: int | None = None,
    allowed: Tensor | None = None,
    rows: Range | None = None,
    columns: Range | None = None,
    faintest: float = FAINTEST,
    scale: Scale = "glass",
    lifted: bool = False,
    dark: bool = False,
    width: str | float = "column",
    title: str | None = None,
    language: str | None = None,
) -> "Figure":
    """A matplotlib figure of attention weights [queries, keys] as lines between two columns.

    `token` draws the lines of one query alone, with its weights next to the keys. The other
    arguments are those of `heat_map`; weights already reduced are means of their blocks. Lines
    for weights under `faintest` are left out, which the figure says.

    Raises VitralError as `heat_map` does, `figure_signed` for weights below zero and
    `figure_token` for a token that is not among the rows or is in a group with others.
    """
    check_matplotlib()
    style = style_of(width, dark=dark, scale=scale, lifted=lifted, language=language)
    most = most_lines(width)
    cells = cells_of(weights, allowed, rows, columns, row_labels, column_labels, most=(most, most))
    if cells.signed:
        raise VitralError("figure_signed")
    warn_of_missing([*(cells.row_labels or []), *(cells.column_labels or []), title or ""])
    drawn = _drawn(cells, token, faintest)
    layout = _Layout(style, cells, token)
    notes = _notes(style, cells, drawn, faintest)
    ceiling = style.number(drawn.ceiling)
    top = style.margin + title_height(style, title) + 1.9 * style.font
    below = top + layout.height + 0.8 * style.font
    notes_top = below + scale_height(style, ceiling)
    sheet = Sheet(style, notes_top + notes_height(style, notes) + style.margin)
    draw_title(sheet, title)
    layout.draw_names(sheet, top)
    layout.draw_curves(sheet, top, drawn)
    draw_scale(sheet, below, ceiling, first=_FIRST)
    draw_notes(sheet, notes_top, notes)
    return sheet.figure


@dataclass(frozen=True)
class _Drawn:
    """The links of a figure, the weakest first, so that the strongest lies on top."""

    queries: NDArray[np.int64]
    keys: NDArray[np.int64]
    weights: NDArray[np.float32]
    ceiling: float
    share: float
    """How much of all the attention of these rows the links hold."""


def _drawn(cells: Cells, token: int | None, faintest: float) -> _Drawn:
    mass = np.nan_to_num(_mass(cells))
    if token is not None:
        if not cells.rows[0] <= token < cells.rows[1]:
            raise VitralError("figure_token", token=token, first=cells.rows[0], last=cells.rows[1])
        if cells.values.shape[0] < cells.num_rows:
            raise VitralError("figure_token_grouped", token=token, tokens=cells.num_rows)
        others = np.arange(len(mass)) != token - cells.rows[0]
        mass[others] = 0
    total = float(mass.sum())
    queries, keys = np.nonzero(mass >= faintest)
    weights = mass[queries, keys]
    order = np.argsort(weights, kind="stable")
    share = float(weights.sum()) / total if total > 0 else 1.0
    ceiling = float(weights.max()) if len(weights) else 1.0
    return _Drawn(queries[order], keys[order], weights[order], ceiling, share)


def _mass(cells: Cells) -> NDArray[np.float32]:
    """From group to group: the mean over queries of the sum over keys."""
    sizes = np.diff(edges(cells.num_columns, cells.values.shape[1]))
    mean_of_all = cells.values * cells.share  # absent cells stay NaN
    result: NDArray[np.float32] = mean_of_all * sizes.astype(np.float32)
    return result


def _names(cells: Cells, axis: int, longest: int = LONGEST) -> list[str]:
    """One name a row of the figure: a token, or the first and last of a group."""
    labels = (cells.row_labels, cells.column_labels)[axis]
    first, last = (cells.rows, cells.columns)[axis]
    bounds = edges(last - first, cells.values.shape[axis])
    texts = labels or [""] * (last - first)
    names = []
    for start, end in pairwise(bounds):
        place = f"{first + start}" if end - start == 1 else f"{first + start}–{first + end - 1}"
        words = shortened(" ".join(texts[start:end]).strip(), longest)
        grouped = cells.values.shape[axis] < last - first
        names.append(f"{place} {words}".strip() if grouped or not words else words)
    return names


def _strongest(cells: Cells, token: int | None) -> int | None:
    if token is None:
        return None
    row = _mass(cells)[token - cells.rows[0]]
    return None if np.isnan(row).all() else int(np.nanargmax(row))


def _numbers(style: Style, cells: Cells, token: int | None) -> list[str]:
    if token is None:
        return []
    row = _mass(cells)[token - cells.rows[0]]
    return ["–" if np.isnan(weight) else style.number(float(weight)) for weight in row]


def _notes(style: Style, cells: Cells, drawn: _Drawn, faintest: float) -> list[str]:
    notes = []
    if cells.aggregated:
        down, across = cells.block
        tokens = max(cells.num_rows, cells.num_columns)
        key = "groups" if down > 1 else "groups_seen"
        notes.append(style.say(key, rows=down, columns=across, tokens=tokens))
    if drawn.share < 0.9995:
        percent = style.number(100 * (1 - drawn.share), 0 if drawn.share < 0.99 else 1)
        notes.append(style.say("faint", weight=style.number(faintest), percent=percent))
    return notes


class _Layout:
    """The two columns of names and the room for the lines between them, in points."""

    def __init__(self, style: Style, cells: Cells, token: int | None) -> None:
        self.style = style
        self.source = None if token is None else token - cells.rows[0]
        self.strongest = _strongest(cells, token)
        self.numbers = _numbers(style, cells, token)
        self.pitch = _PITCH * style.font
        self.gap = 0.6 * style.font
        for longest in range(LONGEST, 4, -1):
            self.left, self.right = _names(cells, 0, longest), _names(cells, 1, longest)
            self._measure()
            if self.to_edge - self.from_edge >= _LEAST_BETWEEN * style.width:
                break
        self.height = self.pitch * max(len(self.left), len(self.right))
        self.first_left = 0
        if len(self.left) == 1 and token is not None:  # next to its own name, among the keys
            where = (token - cells.columns[0]) * len(self.right) // cells.num_columns
            self.first_left = min(max(0, where), len(self.right) - 1)

    def _measure(self) -> None:
        style, small = self.style, self.style.small
        looks, seen = style.say("looks"), style.say("seen")
        left_width = max(widest(self.left, style.font), widest([looks], small))
        number_width = widest(self.numbers, small) + 0.9 * style.font if self.numbers else 0.0
        right_width = max(widest(self.right, style.font) + number_width, widest([seen], small))
        self.from_edge = style.margin + left_width + self.gap
        self.to_edge = style.width - style.margin - right_width - self.gap

    def _left_places(self, top: float) -> list[float]:
        return self.places(top + self.first_left * self.pitch, self.left)

    def places(self, top: float, names: list[str]) -> list[float]:
        return [top + (index + 0.5) * self.pitch for index in range(len(names))]

    def draw_names(self, sheet: Sheet, top: float) -> None:
        style, ink = self.style, self.style.ink
        before, after = self.from_edge - self.gap, self.to_edge + self.gap

        def write(left: float, middle: float, text: str, across: str, **more: Any) -> None:
            sheet.write(left, middle, text, across=across, along="center_baseline", **more)

        heads = top - 0.9 * style.font
        write(before, heads, style.say("looks"), "right", size=style.small, colour=ink.soft)
        write(after, heads, style.say("seen"), "left", size=style.small, colour=ink.soft)
        for index, place in enumerate(self._left_places(top)):
            chosen = index == self.source
            colour = ink.source if chosen else ink.ink
            write(before, place, self.left[index], "right", colour=colour, bold=chosen)
        for index, place in enumerate(self.places(top, self.right)):
            most = index == self.strongest
            write(
                after,
                place,
                self.right[index],
                "left",
                colour=ink.most if most else ink.ink,
                bold=most,
            )
            if self.numbers:
                write(
                    style.width - style.margin,
                    place,
                    self.numbers[index],
                    "right",
                    size=style.small,
                    colour=ink.most if most else ink.soft,
                    bold=most,
                )

    def draw_curves(self, sheet: Sheet, top: float, drawn: _Drawn) -> None:
        from matplotlib.collections import PathCollection
        from matplotlib.path import Path

        style, width = self.style, self.to_edge - self.from_edge
        starts, ends = self._left_places(top), self.places(top, self.right)
        axes = sheet.axes(self.from_edge, 0, width, sheet.height)
        axes.set_xlim(0, width)
        axes.set_ylim(sheet.height, 0)
        bend = 0.45 * width
        kinds = [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
        paths = []
        for query, key in zip(drawn.queries, drawn.keys, strict=True):
            y, end = starts[query], ends[key]
            paths.append(Path([(0, y), (bend, y), (width - bend, end), (width, end)], kinds))
        share = _FIRST + (1 - _FIRST) * drawn.weights / drawn.ceiling
        table = ramp(style.scale, style.theme, style.lifted)
        colours = np.ones((len(paths), 4))
        colours[:, :3] = table[np.rint(share * 255).astype(int)]
        if self.source is None:
            colours[:, 3] = 0.35 + 0.65 * drawn.weights.clip(0, 1)
        widths = style.font * (0.05 + 0.75 * drawn.weights.clip(0, 1))
        axes.add_collection(
            PathCollection(paths, facecolors="none", edgecolors=colours, linewidths=widths),
            autolim=False,
        )
