"""Attention weights as a table in the terminal: exact numbers on coloured cells.

A row is a token that looks, a column a token that it looks at. If the columns do not fit
side by side, they continue in panels below; nothing is left out.
"""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from torch import Tensor

from vitral.cli.color_scale import cell_style
from vitral.cli.token_labels import padded, shortened
from vitral.messages import message

_DIM = Style(dim=True)
_MAX_COLUMN = 12
_MAX_ROW = 20


class HeatTable:
    """The weights of `rows` × `columns` (ranges of token indexes), for a terminal `width` wide.

    `weights` is [rows, columns], float32, from 0 to 1; `labels` holds all tokens of the text, and
    `keys` those looked at, where they are others.
    `causal` says that a token sees none after it: those cells stay blank, and a panel begins at
    the first row that sees any of it.
    """

    def __init__(
        self,
        weights: Tensor,
        labels: Sequence[str],
        rows: range,
        columns: range,
        causal: bool,
        width: int,
        keys: Sequence[str] | None = None,
    ) -> None:
        self.weights = weights
        self.labels = labels
        self.keys = labels if keys is None else keys
        self.rows = rows
        self.columns = columns
        self.causal = causal
        self.index_width = len(str(rows[-1]))
        self.label_width = min(max(cell_len(labels[row]) for row in rows), _MAX_ROW)
        self.cell_widths = [
            max(cell_len(self._column_label(column)), len(str(column)), 3) + 1 for column in columns
        ]
        self.panels = self._panels(width - self.index_width - self.label_width - 2)

    @property
    def num_lines(self) -> int:
        """How many lines of the terminal the table takes."""
        return sum(len(self._rows_seen(panel)) + 3 for panel in self.panels)

    def lines(self) -> Iterator[Text]:
        """The table, one line after another, headings and blank lines between panels included."""
        for number, panel in enumerate(self.panels):
            if number:
                yield Text()
            yield from self._headings(panel)
            for position in self._rows_seen(panel):
                yield self._row(position, panel)

    def _panels(self, room: int) -> list[range]:
        """Positions of the columns, divided so that each panel is at most `room` wide."""
        panels, first, used = [], 0, 0
        for position, cell_width in enumerate(self.cell_widths):
            if position > first and used + cell_width > room:
                panels.append(range(first, position))
                first, used = position, 0
            used += cell_width
        panels.append(range(first, len(self.cell_widths)))
        return panels

    def _rows_seen(self, panel: range) -> range:
        """Positions of the rows that see any column of the panel: the others would be blank."""
        if not self.causal:
            return range(len(self.rows))
        first = max(0, self.columns[panel[0]] - self.rows[0])
        return range(min(first, len(self.rows)), len(self.rows))

    def _column_label(self, column: int) -> str:
        return shortened(self.keys[column], _MAX_COLUMN)

    def _headings(self, panel: range) -> Iterator[Text]:
        margin = " " * (self.index_width + self.label_width + 2)
        indexes, names = Text(margin), Text(margin)
        for position in panel:
            column, width = self.columns[position], self.cell_widths[position]
            indexes.append(f"{column:>{width - 1}} ", _DIM)
            label = self._column_label(column)
            names.append(" " * (width - 1 - cell_len(label)) + label + " ")
        yield indexes
        yield names

    def _row(self, position: int, panel: range) -> Text:
        row = self.rows[position]
        line = Text()
        line.append(f"{row:>{self.index_width}} ", _DIM)
        line.append(padded(shortened(self.labels[row], _MAX_ROW), self.label_width) + " ")
        weights = self.weights[position].tolist()
        largest = max(weights)
        for column_position in panel:
            width = self.cell_widths[column_position]
            if self.causal and self.columns[column_position] > row:
                line.append(" " * width)
                continue
            weight = weights[column_position]
            style = cell_style(weight, bold=weight == largest)
            line.append(f"{_percent(weight):>{width - 1}} ", style)
        return line


def legend(width: int = 24) -> Text:
    """The colours from 0 to 100 %, as one line."""
    line = Text(f"{message('cli.trace.scale')} 0 % ")
    for position in range(width):
        line.append(" ", cell_style((position / (width - 1)) ** 2))
    return line.append(" 100 %")


def _percent(weight: float) -> str:
    """0.073 as "7"; what rounds to nothing as a dot, so that larger weights stand out."""
    percent = round(weight * 100)
    return str(percent) if percent else "·"
