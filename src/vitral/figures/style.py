"""How a figure looks: its size on paper or on a screen, its letters, its colours, its language.

Lengths are in points (1/72 inch) unless a name says otherwise.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitral.errors import VitralError
from vitral.figures.colour import INKS, Ink, Scale, ramp
from vitral.messages import message, preferred_language

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

POINTS_PER_MM = 72 / 25.4
WIDTHS_MM = {"column": 85.0, "page": 178.0, "slide": 338.667}
"""A column of a journal, its whole page, and a slide of 16:9 (13.33 × 7.5 inches)."""
_LEAST_MM, _MOST_MM = 50.0, 2000.0


@dataclass(frozen=True)
class Style:
    """Everything about a figure but its content; make it with `style_of`."""

    width: float
    max_height: float
    font: float
    theme: str
    scale: Scale
    lifted: bool
    language: str

    @property
    def ink(self) -> Ink:
        return INKS[self.theme]

    @property
    def small(self) -> float:
        """The size of notes and of the numbers at the scale."""
        return self.font * 0.86

    @property
    def least_font(self) -> float:
        """Labels are left out rather than printed smaller than this."""
        return self.font * 0.72

    @property
    def margin(self) -> float:
        return self.font * 0.6

    def say(self, key: str, **values: object) -> str:
        """A message of the figures' in the figure's language."""
        return message(f"figure.{key}", self.language, **values)

    def number(self, value: float, digits: int = 2) -> str:
        """A weight in the reader's notation: 0,25 in Spanish. One that rounds to zero is written as
        less than the smallest one shown."""
        smallest: float = 10**-digits
        if 0 < value < smallest / 2:
            return f"<{self.number(smallest, digits)}"
        text = f"{value:.{digits}f}"
        return text.replace(".", ",") if self.language == "es" else text

    def colour_map(self) -> "Colormap":
        """The scale as matplotlib knows it; cells without a value stay empty."""
        from matplotlib.colors import ListedColormap

        colours = ramp(self.scale, self.theme, self.lifted)
        return ListedColormap(colours, name=self.scale).with_extremes(bad=(0, 0, 0, 0))


def style_of(
    width: str | float = "column",
    *,
    dark: bool = False,
    scale: Scale = "glass",
    lifted: bool = False,
    language: str | None = None,
) -> Style:
    """The style of a figure `width` wide: "column", "page", "slide", or millimetres.

    Letters are 7 points in a column, 8 on a page and 18 on a slide, where a room must read them.
    Raises VitralError `figure_width`, `figure_scale`.
    """
    millimetres = WIDTHS_MM.get(width) if isinstance(width, str) else float(width)
    if millimetres is None or not _LEAST_MM <= millimetres <= _MOST_MM:
        known = ", ".join(WIDTHS_MM)
        given = width if isinstance(width, str) else f"{width:g}"
        raise VitralError(
            "figure_width", width=given, known=known, least=int(_LEAST_MM), most=int(_MOST_MM)
        )
    if millimetres <= 120:
        font, max_height_mm = 7.0, 230.0
    elif millimetres <= 250:
        font, max_height_mm = 8.0, 230.0
    else:
        font = 18 * millimetres / WIDTHS_MM["slide"]
        max_height_mm = millimetres * 9 / 16
    theme = "dark" if dark else "light"
    ramp(scale, theme)
    return Style(
        millimetres * POINTS_PER_MM,
        max_height_mm * POINTS_PER_MM,
        font,
        theme,
        scale,
        lifted,
        language or preferred_language(),
    )
