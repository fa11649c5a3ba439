"""What `vitral trace` prints: heading, table or map, legend, and how to see the rest."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from vitral.cli.heat_map import map_lines, map_side
from vitral.cli.heat_table import HeatTable, legend
from vitral.cli.token_labels import labels
from vitral.messages import message
from vitral.tracing import Trace


def print_pattern(
    console: Console,
    trace: Trace,
    layer: int,
    head: int,
    *,
    rows: range,
    columns: range,
    max_lines: int | None,
) -> None:
    """Print one head. A table longer than `max_lines` becomes a map, which says so."""
    colored = console.color_system is not None and not console.no_color
    names, keys = labels(trace.query_tokens()), labels(trace.key_tokens())
    weights = trace.attention(layer=layer, head=head)[
        rows.start : rows.stop, columns.start : columns.stop
    ]
    table = HeatTable(weights, names, rows, columns, trace.causal, console.width, keys)
    title = message(
        "cli.trace.title",
        model=trace.model,
        layer=layer,
        last_layer=trace.num_layers - 1,
        head=head,
        last_head=trace.num_heads - 1,
    )
    console.print(Text(title, style="bold"))
    console.print()
    if max_lines is None or table.num_lines <= max_lines or len(keys) != len(names):
        _print_all(console, table.lines())
        console.print()
        console.print(Text(message("cli.trace.reading")))
        if colored:
            console.print(legend())
        _print_part(console, trace, rows, columns)
        return
    side = map_side(len(names), console.width, colored=colored)
    view = trace.view(
        trace.part().address("attention.pattern", layer),
        head=head,
        height=side,
        width=side,
        reduction="mean",
    )
    _print_all(console, map_lines(view.values, names, causal=trace.causal, colored=colored))
    console.print()
    note = "cli.trace.map" if view.aggregated else "cli.trace.map_exact"
    console.print(Text(message(note, size=len(names), side=side)))
    end = min(20, len(names))
    console.print(Text(message("cli.trace.rest", end=end)))


def _print_all(console: Console, lines: Iterator[Text]) -> None:
    """Lines that keep their width: a terminal that is narrower breaks them, we do not."""
    for line in lines:
        console.print(line, soft_wrap=True)


def _print_part(console: Console, trace: Trace, rows: range, columns: range) -> None:
    """Print which part is shown, if only a part is."""
    size = len(trace.key_tokens())
    if len(rows) < len(trace.query_tokens()) or len(columns) < size:
        note = message(
            "cli.trace.part",
            first_row=rows[0],
            last_row=rows[-1],
            first_column=columns[0],
            last_column=columns[-1],
            size=size,
        )
        console.print(Text(note))
