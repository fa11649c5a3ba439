"""A whole attention pattern, however long the text, as a small map in the terminal.

With colour, half blocks make two square cells of one character; without, shades of grey do.
"""

from collections.abc import Iterator, Sequence

from rich.color import Color
from rich.style import Style
from rich.text import Text
from torch import Tensor

from vitral.cli.color_scale import color, shade
from vitral.cli.token_labels import padded, shortened

_DIM = Style(dim=True)
_LABEL = 12
_EVERY = 4
"""Lines from one row label to the next."""


def map_size(num_rows: int, num_columns: int, width: int, *, colored: bool) -> tuple[int, int]:
    """Rows and columns of cells, so that the map fits a terminal `width` wide; as many of both
    where there are as many queries as keys."""
    room = width - _LABEL - len(str(num_rows)) - 2
    most = max(1, min(64, room if colored else room // 2))
    return min(num_rows, most), min(num_columns, most)


def map_lines(
    values: Tensor, labels: Sequence[str], *, causal: bool, colored: bool
) -> Iterator[Text]:
    """The map of `values` [rows, columns], scaled to the range of the colours.

    `labels` holds all query tokens; every few lines, the token at which that row begins is named.
    Where `causal`, the cells above the diagonal, which no token can see, stay blank.
    """
    height, width = values.shape
    largest = float(values.max()) or 1.0
    cells: list[list[float]] = (values / largest).tolist()
    seen = [[not causal or column <= row for column in range(width)] for row in range(height)]
    index_width = len(str(len(labels)))
    for number, top in enumerate(range(0, height, 2 if colored else 1)):
        line = Text()
        if number % _EVERY == 0:
            first = top * len(labels) // height
            line.append(f"{first:>{index_width}} ", _DIM)
            line.append(padded(shortened(labels[first], _LABEL), _LABEL) + " ")
        else:
            line.append(" " * (index_width + _LABEL + 2))
        for column in range(width):
            if not colored:
                line.append((shade(cells[top][column]) if seen[top][column] else " ") * 2)
                continue
            pair = [
                color(cells[row][column]) if row < height and seen[row][column] else None
                for row in (top, top + 1)
            ]
            line.append_text(_half_blocks(*pair))
        yield line


def _half_blocks(upper: Color | None, lower: Color | None) -> Text:
    """Two square cells, one above the other, in one character; None is left blank."""
    if upper is None and lower is None:
        return Text(" ")
    if upper is None:
        return Text("▄", Style(color=lower))
    return Text("▀", Style(color=upper, bgcolor=lower))
