"""`vitral heads`: what every head does in a text, or which relation of a treebank it follows."""

import csv
import json as json_module
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vitral.cli.head_filter import HeadFilter
from vitral.cli.new_file import NewFile
from vitral.cli.opened_or_traced import opened_or_traced
from vitral.errors import VitralError
from vitral.messages import message
from vitral.messages.written_numbers import decimal, whole

if TYPE_CHECKING:
    from vitral.explain import HeadMeasures

SENTENCES = 400
"""How many sentences of a treebank are read by default."""
SHOWN = ("resting", "writes", "entropy", "distance", "previous")
"""The measures that fit beside the sentence in 80 columns; `--json` and `--csv` give all."""


def heads(
    text: Annotated[str | None, Parameter(help=message("cli.text_or_picture"))] = None,
    /,
    *,
    model: Annotated[str | None, Parameter(help=message("cli.model"))] = None,
    base: Annotated[str | None, Parameter(help=message("cli.base"))] = None,
    file: Annotated[
        str | None, Parameter(help=message("cli.file"), allow_leading_hyphen=True)
    ] = None,
    open: Annotated[Path | None, Parameter(help=message("cli.trace.open"))] = None,
    part: Annotated[str | None, Parameter(help=message("cli.part"))] = None,
    layer: Annotated[int | None, Parameter(help=message("cli.heads.layer"))] = None,
    sort: Annotated[str | None, Parameter(help=message("cli.heads.sort"))] = None,
    filter: Annotated[
        list[str] | None, Parameter(help=message("cli.heads.filter"), negative="")
    ] = None,
    top: Annotated[int | None, Parameter(help=message("cli.heads.top"))] = None,
    json: Annotated[bool, Parameter(help=message("cli.heads.json"), negative="")] = False,
    csv: Annotated[bool, Parameter(help=message("cli.heads.csv"), negative="")] = False,
    treebank: Annotated[Path | None, Parameter(help=message("cli.heads.treebank"))] = None,
    sentences: Annotated[int | None, Parameter(help=message("cli.heads.sentences"))] = None,
    save: Annotated[
        list[Path] | None, Parameter(help=message("cli.heads.save"), negative="")
    ] = None,
    overwrite: Annotated[bool, Parameter(help=message("cli.trace.overwrite"), negative="")] = False,
) -> None:
    """Describe every head, or find which relation of a treebank it follows."""
    if json and csv:
        raise VitralError("options_clash", first="--json", second="--csv")
    given = {"TEXT": text, "--file": file, "--open": open}
    of_text = {"--part": part, "--layer": layer, "--sort": sort, "--filter": filter, "--top": top}
    if treebank is not None:
        for option, value in (given | of_text).items():
            if value is not None:
                raise VitralError("options_clash", first="--treebank", second=option)
        _treebank(treebank, model, base, sentences, save or [], overwrite, json=json, as_csv=csv)
        return
    for option, unused in (("--sentences", sentences), ("--save", save)):
        if unused is not None:
            raise VitralError("option_needs_other", option=option, other="--treebank")
    if top is not None and top < 1:
        raise VitralError("option_value_wrong", option="--top", value=top, example=10)
    wanted = [HeadFilter.read(each) for each in filter or []]
    order = _order(sort)
    table = _measured(text, model, file, open, part, base)
    for name in [each.name for each in wanted] + ([order[0]] if order else []):
        if name not in table:
            if table.of_picture:
                raise VitralError("picture_measure", measure=name)
            raise VitralError("measure_of_two_texts", measure=name, part=table.part)
    if layer is not None and not 0 <= layer < table.num_layers:
        raise VitralError("layer_out_of_range", layer=layer, num_layers=table.num_layers)
    if layer is not None and layer not in table.layers:
        from vitral.tracing.parts import without_attention

        raise without_attention(table.model, layer, table.layers)
    every = table.heads()
    rows = [
        row
        for row in every
        if (layer is None or row["layer"] == layer) and all(each.keeps(row) for each in wanted)
    ]
    if order:
        rows.sort(key=lambda row: _place(row[order[0]], falling=order[1]))
    rows = rows[:top]
    if json:
        _print_json(table, rows)
    elif csv:
        _print_csv(table, rows)
    else:
        _print_table(table, rows, len(every))


def _measured(
    text: str | None,
    model: str | None,
    file: str | None,
    saved: Path | None,
    part: str | None,
    base: str | None,
) -> "HeadMeasures":
    """The measures of a trace; repetition is measured on a repeated sequence of random tokens,
    if there is a model and it reads tokens."""
    from vitral.explain import measures, repeated_trace

    traced = opened_or_traced(text, model, file, saved, base)
    repeated = opened = None
    if saved is None:
        import vitral
        from vitral.models.catalog import BUNDLED

        opened = vitral.load(model or BUNDLED[0], base=base)
        if opened.kind in ("encoder", "decoder"):
            repeated = repeated_trace(opened)
    return measures(traced, part, repeated=repeated, model=opened)


def _order(sort: str | None) -> tuple[str, bool] | None:
    """What to sort by, and whether the largest come first: "entropy", or "-entropy"."""
    if sort is None:
        return None
    from vitral.explain import MEASURES

    name = sort.removeprefix("-")
    if name not in MEASURES:
        raise VitralError("measure_unknown", measure=name, known=", ".join(MEASURES))
    return name, not sort.startswith("-")


def _place(value: float, *, falling: bool) -> tuple[bool, float]:
    """Sorting by a measure; heads where it is undefined come last either way."""
    return math.isnan(value), -value if falling else value


def _print_table(table: "HeadMeasures", rows: list[dict[str, Any]], num_heads: int) -> None:
    console = Console(highlight=False)
    shown = [name for name in SHOWN if name in table]
    head = message(
        "cli.heads.head", model=table.model, num_tokens=table.num_tokens, num_heads=num_heads
    )
    console.print(Text(head, "bold"))
    grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    grid.add_column(message("cli.heads.name"), no_wrap=True)
    grid.add_column(message("cli.heads.does"))
    for name in shown:
        grid.add_column(message(f"cli.heads.short.{name}"), justify="right", no_wrap=True)
    for row in rows:
        idle = row["role"] == "idle"
        grid.add_row(
            f"{row['layer']}.{row['head']}",
            Text(table.sentence(row["layer"], row["head"], says_rest=False)),
            *(_short(row[name], name) for name in shown),
            style="dim" if idle else "",
        )
    console.print(grid)
    if not rows:
        console.print(Text(message("cli.heads.none")))
    console.print(Text(message("cli.heads.legend")))


def _short(value: float, name: str) -> str:
    from vitral.explain import MEASURES

    if math.isnan(value):
        return "–"
    if MEASURES[name].unit == "tokens":
        return decimal(value, 1)
    return whole(100 * value)


def _print_json(table: "HeadMeasures", rows: list[dict[str, Any]]) -> None:
    """The heads as JSON on stdout, with what each measure is; undefined numbers are null."""
    document = {
        "model": table.model,
        "part": table.part,
        "num_tokens": table.num_tokens,
        "measures": [
            {
                "name": each.name,
                "label": each.label(),
                "sentence": each.sentence(),
                "low": each.low,
                "high": each.high,
                "unit": each.unit,
                "source": each.source,
            }
            for each in table.measures
        ],
        "heads": [
            {
                name: None if isinstance(value, float) and math.isnan(value) else value
                for name, value in row.items()
            }
            | {"sentence": table.sentence(row["layer"], row["head"])}
            for row in rows
        ],
    }
    sys.stdout.write(json_module.dumps(document, ensure_ascii=False) + "\n")


def _print_csv(table: "HeadMeasures", rows: list[dict[str, Any]]) -> None:
    """The heads as CSV on stdout; undefined numbers are empty."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["layer", "head", "role", *table])
    for row in rows:
        numbers = ["" if math.isnan(row[name]) else f"{row[name]:.6g}" for name in table]
        writer.writerow([row["layer"], row["head"], row["role"], *numbers])


def _treebank(
    path: Path,
    model: str | None,
    base: str | None,
    sentences: int | None,
    save: list[Path],
    overwrite: bool,
    *,
    json: bool,
    as_csv: bool,
) -> None:
    """Find which head follows each relation; print the table, and write it to the given files."""
    import vitral
    from vitral.explain.conllu import read_treebank
    from vitral.explain.relation_table import (
        PICTURES,
        as_json,
        check_ending,
        write_report,
    )
    from vitral.explain.relation_table import (
        as_csv as csv_of,
    )
    from vitral.explain.relations import relation_report
    from vitral.models.catalog import BUNDLED

    limit = SENTENCES if sentences is None else sentences
    if limit < 0:
        raise VitralError("option_value_wrong", option="--sentences", value=limit, example=400)
    for each in save:
        check_ending(each)
        if each.suffix.lower() in PICTURES:
            from vitral.figures.sheet import check_matplotlib

            check_matplotlib()
    targets = [NewFile(each, overwrite) for each in save]
    read = read_treebank(path)
    chosen = read[:limit] if limit else read
    report = relation_report(
        vitral.load(model or BUNDLED[0], base=base), chosen, treebank=path.name
    )
    if json:
        sys.stdout.write(as_json(report))
    elif as_csv:
        sys.stdout.write(csv_of(report))
    else:
        from vitral.cli.relation_view import print_relations

        print_relations(Console(highlight=False), report, len(read))
    for target in targets:
        target.write(lambda place: write_report(report, place))
        note = message("cli.heads.saved", path=target.path)
        Console(stderr=json or as_csv, highlight=False, soft_wrap=True).print(Text(note))
