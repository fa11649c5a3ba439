"""A matplotlib figure that depends on no global settings and changes none.

It is made without pyplot: no window, no list of open figures, no backend chosen. Words stay
words in the files: an SVG keeps them as text (searchable, editable, read aloud, and set in the
reader's own sans-serif where DejaVu Sans is not installed; DejaVu's letters are wide, so others
fit where they fitted), a PDF embeds its font as TrueType. The same figure gives the same bytes.
"""

import io
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

from vitral.errors import VitralError
from vitral.figures.style import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 300
FALLBACKS = (
    "Noto Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans Symbols2",
    "Noto Emoji",
    "Arial Unicode MS",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Segoe UI Symbol",
)
"""Asked, where they are installed, for the letters that DejaVu Sans does not have."""
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "vitral",
    "pdf.fonttype": 42,
    "savefig.bbox": None,
    "text.hinting": "no_hinting",  # otherwise words become wider at a low resolution
}
_UNDATED = {"svg": "Date", "pdf": "CreationDate"}


def check_matplotlib() -> None:
    """Raises VitralError `plot_needs_matplotlib`, which says how to install it."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise VitralError("plot_needs_matplotlib") from error


@cache
def families() -> tuple[str, ...]:
    """The fonts of a figure, the first first; each is asked for what those before it lack."""
    from matplotlib import font_manager

    installed = set(font_manager.get_font_names())
    return ("DejaVu Sans", *(name for name in FALLBACKS if name in installed))


@cache
def _figure_class() -> "type[Figure]":
    import matplotlib
    from matplotlib.figure import Figure

    class Sheet(Figure):
        """A figure that saves its text as text, at print resolution, on its own ground."""

        def savefig(self, fname: Any, *, transparent: bool | None = None, **kwargs: Any) -> None:
            kind = kwargs.get("format") or str(fname).rpartition(".")[2].lower()
            kwargs.setdefault("dpi", DOTS_PER_INCH)
            if kind in _UNDATED:
                kwargs["metadata"] = {_UNDATED[kind]: None, **(kwargs.get("metadata") or {})}
            with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
                # A warning about missing characters was given when the figure was made.
                warnings.filterwarnings("ignore", "Glyph .* missing from")
                super().savefig(fname, transparent=transparent, **kwargs)

        def _repr_svg_(self) -> str:
            """How a notebook shows it, with or without pyplot."""
            file = io.StringIO()
            self.savefig(file, format="svg")
            return file.getvalue()

    return Sheet


class Sheet:
    """A figure of a known size, on which things are placed in points from its top left corner."""

    def __init__(self, style: Style, height: float) -> None:
        self.style = style
        self.height = height
        size = (style.width / 72, height / 72)
        self.figure = _figure_class()(figsize=size, facecolor=style.ink.ground)

    def axes(self, left: float, top: float, width: float, height: float) -> "Axes":
        """Bare axes: no frame, no ticks, nothing behind them."""
        total = self.style.width
        below = self.height - top - height
        place = (left / total, below / self.height, width / total, height / self.height)
        axes = self.figure.add_axes(place)
        axes.set_axis_off()
        return axes

    def write(
        self,
        left: float,
        top: float,
        text: str,
        *,
        size: float | None = None,
        colour: str | None = None,
        bold: bool = False,
        across: str = "left",
        along: str = "top",
        rotation: float = 0,
    ) -> None:
        """Words at a place. `across` and `along` say which edge of them stands there."""
        written = self.figure.text(
            left / self.style.width,
            1 - top / self.height,
            text,
            fontsize=size or self.style.font,
            color=colour or self.style.ink.ink,
            fontweight="bold" if bold else "normal",
            fontfamily=list(families()),
            ha=across,
            va=along,
            rotation=rotation,
            rotation_mode="anchor",
        )
        written.set_usetex(False)
        written.set_parse_math(False)  # a token may be "$"
