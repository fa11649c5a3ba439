"""A whole attention pattern, however long the text, as a small map in the terminal.

With colour, half blocks make two square cells of one character; without, shades of grey do.
"""

from collections.abc import Iterator, Sequence

from rich.style import Style
from rich.text import Text
from torch import Tensor

from vitral.cli.color_scale import color, shade
from vitral.cli.token_labels import padded, shortened

_DIM = Style(dim=True)
_LABEL = 12
_EVERY = 4
"""Lines from one row label to the next."""


def map_side(num_tokens: int, width: int, *, colored: bool) -> int:
    """Cells to a side, so that the map fits a terminal `width` wide and stays square."""
    room = width - _LABEL - len(str(num_tokens)) - 2
    return max(1, min(num_tokens, 64, room if colored else room // 2))


def map_lines(values: Tensor, labels: Sequence[str], *, colored: bool) -> Iterator[Text]:
    """The map of `values` [side, side], which are brought to the range of the colours.

    `labels` holds all tokens; every few lines, the token at which that row begins is named.
    """
    side = values.shape[0]
    largest = float(values.max()) or 1.0
    cells = (values / largest).tolist()
    step = 2 if colored else 1
    index_width = len(str(len(labels)))
    for line_number, top in enumerate(range(0, side, step)):
        first = top * len(labels) // side
        if line_number % _EVERY == 0:
            label = padded(shortened(labels[first], _LABEL), _LABEL)
            line = Text(f"{first:>{index_width}} ", _DIM).append(label + " ", Style(dim=False))
        else:
            line = Text(" " * (index_width + _LABEL + 2))
        below = cells[top + 1] if top + 1 < side else None
        for column, upper in enumerate(cells[top]):
            if not colored:
                line.append(shade(upper) * 2)
            elif below is None:
                line.append("▀", Style(color=color(upper)))
            else:
                line.append("▀", Style(color=color(upper), bgcolor=color(below[column])))
        yield line
