"""What stands around a picture: its title, the scale with the sign for absent cells, its notes."""

from typing import TYPE_CHECKING

import numpy as np

from vitral.figures.labels import text_width, wrapped
from vitral.figures.sheet import Sheet
from vitral.figures.style import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINE = 1.35
"""From one line of text to the next, in sizes of its letters."""


def title_height(style: Style, title: str | None) -> float:
    """The room that a title takes, none without one."""
    if not title:
        return 0.0
    lines = wrapped(title, style.font * 1.1, style.width - 2 * style.margin)
    return (len(lines) * LINE * 1.1 + 0.5) * style.font


def draw_title(sheet: Sheet, title: str | None) -> None:
    style = sheet.style
    size = style.font * 1.1
    lines = wrapped(title or "", size, style.width - 2 * style.margin)
    for index, line in enumerate(lines):
        top = style.margin + index * LINE * size
        sheet.write(style.margin, top, line, size=size, bold=True)


def notes_height(style: Style, notes: list[str]) -> float:
    return len(_lines(style, notes)) * LINE * style.small


def draw_notes(sheet: Sheet, top: float, notes: list[str]) -> None:
    """What the picture does not say by itself: what was put together, what was left out."""
    style = sheet.style
    for index, line in enumerate(_lines(style, notes)):
        place = top + index * LINE * style.small
        sheet.write(style.margin, place, line, size=style.small, colour=style.ink.soft)


def _lines(style: Style, notes: list[str]) -> list[str]:
    width = style.width - 2 * style.margin
    return [line for note in notes for line in wrapped(note, style.small, width)]


def scale_height(
    style: Style, ceiling: str, floor: str | None = None, absent: bool = False
) -> float:
    """The room of the scale: a line, and another where the absent cells' sign needs it."""
    more = len(_scale_lines(style, ceiling, floor, absent)) - 1
    return (2.4 + 1.7 * more) * style.font


def draw_scale(
    sheet: Sheet,
    top: float,
    ceiling: str,
    floor: str | None = None,
    absent: bool = False,
    *,
    first: float = 0.0,
) -> None:
    """The scale of colours from `floor` to `ceiling`, and the sign for what may not be seen.

    `first` is where on the scale its drawn part begins.
    """
    style = sheet.style
    for index, line in enumerate(_scale_lines(style, ceiling, floor, absent)):
        left, middle = style.margin, top + style.font * (0.9 + 1.7 * index)
        for part in line:
            if part == _BAR:
                _draw_bar(sheet, left, middle, first)
            elif part == _SIGN:
                high = 0.9 * style.font
                axes = sheet.axes(left, middle - high / 2, _SIGN_WIDTH * style.font, high)
                draw_absence(axes, style)
            else:
                named = part in [style.say(key) for key in ("weight", "difference", "absent")]
                colour = style.ink.soft if named else style.ink.ink
                sheet.write(
                    left, middle, part, size=style.small, colour=colour, along="center_baseline"
                )
            left += _part_width(style, part)


_BAR, _SIGN = "\0bar", "\0sign"
_BAR_WIDTH, _SIGN_WIDTH = 9.0, 1.3  # in sizes of the letters


def _scale_lines(style: Style, ceiling: str, floor: str | None, absent: bool) -> list[list[str]]:
    line = _scale_words(style, ceiling, floor)
    if not absent:
        return [line]
    sign = [_SIGN, style.say("absent")]
    width = sum(_part_width(style, part) for part in [*line, *sign])
    together = width <= style.width - 2 * style.margin
    return [[*line, *sign]] if together else [line, sign]


def _scale_words(style: Style, ceiling: str, floor: str | None) -> list[str]:
    """Below zero there are no weights, only differences between weights."""
    name = style.say("weight" if floor is None else "difference")
    return [name, floor or style.number(0, 0), _BAR, ceiling]


def _part_width(style: Style, part: str) -> float:
    """A part of the scale's line, with the gap after it."""
    gap = 0.5 * style.font
    if part == _BAR:
        return _BAR_WIDTH * style.font + gap
    if part == _SIGN:
        return _SIGN_WIDTH * style.font + gap
    return text_width(part, style.small) + gap


def scale_width(style: Style, ceiling: str, floor: str | None, absent: bool) -> float:
    """How wide a figure must be for its scale to stand on one line."""
    parts = _scale_words(style, ceiling, floor)
    parts += [_SIGN, style.say("absent")] if absent else []
    return 2 * style.margin + sum(_part_width(style, part) for part in parts)


def _draw_bar(sheet: Sheet, left: float, middle: float, first: float) -> None:
    style = sheet.style
    high = 0.9 * style.font
    axes = sheet.axes(left, middle - high / 2, _BAR_WIDTH * style.font, high)
    steps = np.linspace(first, 1, 128)[None]
    axes.pcolormesh(
        steps, cmap=style.colour_map(), vmin=0, vmax=1, edgecolors="face", linewidth=0.2
    )


def draw_absence(axes: "Axes", style: Style) -> None:
    """Fill axes with the pattern of absent cells; what is drawn later lies over it."""
    from matplotlib.patches import Rectangle

    patch = Rectangle(
        (0, 0),
        1,
        1,
        transform=axes.transAxes,
        facecolor=style.ink.ground,
        edgecolor=style.ink.line,
        hatch="/" * 6,
        linewidth=0,
        zorder=0,
    )
    patch.set_hatch_linewidth(0.035 * style.font + 0.15)
    axes.add_patch(patch)


def draw_frame(axes: "Axes", style: Style) -> None:
    """The lead that holds a pane."""
    from matplotlib.patches import Rectangle

    frame = Rectangle((0, 0), 1, 1, transform=axes.transAxes, fill=False, clip_on=False)
    frame.set_edgecolor(style.ink.lead)
    frame.set_linewidth(0.09 * style.font)
    axes.add_patch(frame)
