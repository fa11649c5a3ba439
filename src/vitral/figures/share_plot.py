"""Shares with their intervals, one a line: a filled mark for what was found, a hollow one for
what it is compared with."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitral.figures.furniture import draw_notes, draw_title, notes_height, title_height
from vitral.figures.labels import warn_of_missing, widest
from vitral.figures.sheet import Sheet, check_matplotlib
from vitral.figures.style import style_of
from vitral.messages.written_numbers import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

LINE = 1.55
"""A row's height, in sizes of the letters."""


@dataclass(frozen=True)
class ShareLine:
    """One row: shares from 0 to 1 with their intervals; `strong` writes its name in bold."""

    name: str
    share: float
    interval: tuple[float, float]
    other: float
    other_interval: tuple[float, float]
    note: str = ""
    strong: bool = False


def share_plot(
    lines: "Sequence[ShareLine]",
    *,
    found: str,
    other: str,
    notes: "Sequence[str]" = (),
    title: str | None = None,
    dark: bool = False,
    width: str | float = "page",
    language: str | None = None,
) -> "Figure":
    """A matplotlib figure with a row for each line; `found` and `other` are the marks' names.

    Raises VitralError `plot_needs_matplotlib`, `figure_width`.
    """
    check_matplotlib()
    style = style_of(width, dark=dark, language=language)
    warn_of_missing([title or "", found, other, *(line.name for line in lines)])
    font = style.font
    left = style.margin + widest([line.name for line in lines], font) * 1.08 + 0.8 * font
    right = widest([line.note for line in lines], style.small) + 1.2 * font
    top = style.margin + title_height(style, title) + 3.2 * font
    across, down = style.width - left - right - style.margin, LINE * font * len(lines)
    said = list(notes)
    sheet = Sheet(style, top + down + 1.6 * font + notes_height(style, said) + style.margin)
    draw_title(sheet, title)
    axes = sheet.axes(left, top, across, down)
    axes.set_xlim(0, 1)
    axes.set_ylim(len(lines), 0)
    for tick in (0, 0.25, 0.5, 0.75, 1):
        axes.axvline(tick, color=style.ink.line, linewidth=0.5, zorder=0)
        sheet.write(
            left + tick * across,
            top + down + 0.4 * font,
            percent(tick, 0, style.language),
            size=style.small,
            colour=style.ink.soft,
            across="center",
        )
    marks = {
        "found": {"marker": "o", "markersize": 0.55 * font, "color": style.ink.source},
        "other": {
            "marker": "D",
            "markersize": 0.5 * font,
            "color": style.ink.most,
            "markerfacecolor": style.ink.ground,
        },
    }
    for index, line in enumerate(lines):
        for kind, share, interval, place in (
            ("other", line.other, line.other_interval, index + 0.66),
            ("found", line.share, line.interval, index + 0.36),
        ):
            colour = marks[kind]["color"]
            axes.plot(interval, (place, place), color=colour, linewidth=1, clip_on=False)
            axes.plot((share,), (place,), linestyle="none", clip_on=False, **marks[kind])  # type: ignore[arg-type]
        middle = top + (index + 0.5) * LINE * font
        sheet.write(
            left - 0.6 * font,
            middle,
            line.name,
            bold=line.strong,
            across="right",
            along="center_baseline",
        )
        sheet.write(
            left + across + 0.8 * font,
            middle,
            line.note,
            size=style.small,
            colour=style.ink.soft,
            along="center_baseline",
        )
    key = sheet.axes(left, top - 2.6 * font, across, 1.2 * font)
    key.set_xlim(0, across)
    key.set_ylim(0, 1)
    start = 0.0
    for kind, name in (("found", found), ("other", other)):
        key.plot((start + 0.4 * font,), (0.5,), linestyle="none", **marks[kind])  # type: ignore[arg-type]
        sheet.write(left + start + 1.2 * font, top - 2 * font, name, along="center_baseline")
        start += widest([name], font) + 3.2 * font
    draw_notes(sheet, top + down + 1.6 * font, said)
    return sheet.figure
