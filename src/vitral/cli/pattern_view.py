"""What `vitral trace` prints: heading, table or map, legend, and how to see the rest."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from vitral.cli.heat_map import map_lines, map_size
from vitral.cli.heat_table import HeatTable, legend
from vitral.cli.token_labels import labels
from vitral.messages import message
from vitral.tracing import Token, Trace


def print_pattern(
    console: Console,
    trace: Trace,
    layer: int,
    head: int,
    *,
    rows: range,
    columns: range,
    max_lines: int | None,
    part: str | None = None,
) -> None:
    """Print one head of a part. A table longer than `max_lines` becomes a map, which says so."""
    colored = console.color_system is not None and not console.no_color
    weights = trace.attention(layer=layer, head=head, part=part)
    num_rows, num_columns = weights.shape
    row_labels = _labels(trace.query_tokens(part), num_rows)
    column_labels = _labels(trace.key_tokens(part), num_columns)
    causal = _is_causal(trace, part)
    table = HeatTable(
        weights[rows.start : rows.stop, columns.start : columns.stop],
        row_labels,
        column_labels,
        rows,
        columns,
        causal=causal,
        width=console.width,
    )
    heading = " · ".join([title(trace, layer, head, part), *trace.reading.said()])
    console.print(Text(heading, style="bold"))
    console.print()
    if max_lines is None or table.num_lines <= max_lines:
        _print_all(console, table.lines())
        console.print()
        console.print(Text(message("cli.trace.reading")))
        if colored:
            console.print(legend())
        _print_range(console, rows, columns, num_rows, num_columns)
        return
    height, width = map_size(num_rows, num_columns, console.width, colored=colored)
    view = trace.view(
        trace.part(part).address("attention.pattern", layer),
        head=head,
        height=height,
        width=width,
        reduction="mean",
    )
    _print_all(console, map_lines(view.values, row_labels, causal=causal, colored=colored))
    console.print()
    if num_rows != num_columns or trace.part(part).is_cross:
        note = message(
            "cli.trace.map_between",
            num_rows=num_rows,
            num_columns=num_columns,
            height=height,
            width=width,
        )
    else:
        key = "cli.trace.map" if view.aggregated else "cli.trace.map_exact"
        note = message(key, size=num_rows, side=height)
    console.print(Text(note))
    rest = message("cli.trace.rest", last_row=min(20, num_rows), last_column=min(20, num_columns))
    console.print(Text(rest))


def title(trace: Trace, layer: int, head: int, part: str | None) -> str:
    """The line above a head: its model, its part where there are several, its layer and number."""
    name = trace.part(part).name
    return message(
        "cli.trace.title",
        model=f"{trace.model} · {name}" if name else trace.model,
        layer=layer,
        last_layer=trace.num_blocks(part) - 1,
        head=head,
        last_head=trace.record(layer, part).num_heads - 1,
    )


def _is_causal(trace: Trace, part: str | None) -> bool:
    if trace.part(part).is_cross:
        return False
    return all(record.visibility.is_causal for record in trace.layers(part).values())


def _labels(tokens: Sequence[Token], size: int) -> list[str]:
    """A label for each token, or its number where the trace does not name these tokens."""
    return labels(tokens) if len(tokens) == size else [str(number) for number in range(size)]


def _print_all(console: Console, lines: Iterator[Text]) -> None:
    """Lines keep their width: a narrower terminal wraps them."""
    for line in lines:
        console.print(line, soft_wrap=True)


def _print_range(
    console: Console, rows: range, columns: range, num_rows: int, num_columns: int
) -> None:
    """Print which rows and columns are shown, if not all are."""
    if len(rows) == num_rows and len(columns) == num_columns:
        return
    note = message(
        "cli.trace.part" if num_rows == num_columns else "cli.trace.part_between",
        first_row=rows[0],
        last_row=rows[-1],
        first_column=columns[0],
        last_column=columns[-1],
        size=num_rows,
        num_rows=num_rows,
        num_columns=num_columns,
    )
    console.print(Text(note))
