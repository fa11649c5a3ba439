"""From a weight to a colour: dark blue, over teal, to pale yellow.

The stops are ColorBrewer's YlGnBu, reversed: lightness grows evenly, and it is readable without
telling red from green (colorbrewer2.org, C. Brewer, 2002). The scale runs over the
square root of the weight, so that 1 % and 5 % differ to the eye as 60 % and 80 % do.
"""

from rich.color import Color
from rich.style import Style

STOPS = (
    (8, 29, 88),
    (37, 52, 148),
    (34, 94, 168),
    (29, 145, 192),
    (65, 182, 196),
    (127, 205, 187),
    (199, 233, 180),
    (237, 248, 177),
)
SHADES = " ░▒▓█"
"""The scale for terminals without colour."""


def color(weight: float) -> Color:
    """The colour of a weight from 0 to 1 (values outside are clipped)."""
    position = min(max(weight, 0.0), 1.0) ** 0.5 * (len(STOPS) - 1)
    index = min(int(position), len(STOPS) - 2)
    share = position - index
    red, green, blue = (
        round(low + (high - low) * share)
        for low, high in zip(STOPS[index], STOPS[index + 1], strict=True)
    )
    return Color.from_rgb(red, green, blue)


def cell_style(weight: float, *, bold: bool = False) -> Style:
    """The style of a number on the colour of `weight`: dark on light, light on dark."""
    background = color(weight)
    assert background.triplet is not None
    red, green, blue = background.triplet
    light = 0.299 * red + 0.587 * green + 0.114 * blue > 140
    return Style(color="#101418" if light else "#ffffff", bgcolor=background, bold=bold)


def shade(weight: float) -> str:
    """One of five characters, from blank to full, for a weight from 0 to 1."""
    position = min(max(weight, 0.0), 1.0) ** 0.5 * (len(SHADES) - 1)
    return SHADES[round(position)]
