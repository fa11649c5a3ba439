"""`vitral trace`: the attention of one head, as a table in colour, as JSON, or saved whole."""

import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from vitral.cli.new_file import NewFile
from vitral.cli.opened_or_traced import opened_or_traced
from vitral.cli.read_as import read_as
from vitral.cli.token_range import token_range
from vitral.errors import VitralError
from vitral.messages import message

if TYPE_CHECKING:
    from vitral.tracing import Token, Trace

MAX_LINES = 100
"""A table of more lines than this is shown as a map, unless a part of it is asked for."""


def trace(
    text: Annotated[str | None, Parameter(help=message("cli.text_or_picture"))] = None,
    /,
    *,
    model: Annotated[str | None, Parameter(help=message("cli.model"))] = None,
    base: Annotated[str | None, Parameter(help=message("cli.base"))] = None,
    part: Annotated[str | None, Parameter(help=message("cli.part"))] = None,
    layer: Annotated[int, Parameter(help=message("cli.trace.layer"))] = 0,
    head: Annotated[int | None, Parameter(help=message("cli.trace.head"))] = None,
    without_resting: Annotated[
        bool, Parameter(help=message("cli.read.without_resting"), negative="")
    ] = False,
    words: Annotated[bool, Parameter(help=message("cli.read.words"), negative="")] = False,
    mean_of: Annotated[str | None, Parameter(help=message("cli.read.mean_of"))] = None,
    rows: Annotated[str | None, Parameter(help=message("cli.trace.rows"))] = None,
    columns: Annotated[str | None, Parameter(help=message("cli.trace.columns"))] = None,
    token: Annotated[str | None, Parameter(help=message("cli.trace.token"))] = None,
    special_tokens: Annotated[
        bool, Parameter(help=message("cli.special_tokens"), negative="")
    ] = False,
    no_added_tokens: Annotated[
        bool, Parameter(help=message("cli.no_added_tokens"), negative="")
    ] = False,
    json: Annotated[bool, Parameter(help=message("cli.trace.json"), negative="")] = False,
    file: Annotated[
        str | None, Parameter(help=message("cli.file"), allow_leading_hyphen=True)
    ] = None,
    open: Annotated[Path | None, Parameter(help=message("cli.trace.open"))] = None,
    save: Annotated[Path | None, Parameter(help=message("cli.trace.save"))] = None,
    overwrite: Annotated[bool, Parameter(help=message("cli.trace.overwrite"), negative="")] = False,
) -> None:
    """Trace a text or a picture (or open a saved trace) and show one head of it."""
    section = "--rows" if rows is not None else "--columns" if columns is not None else None
    if json and section:
        raise VitralError("options_clash", first="--json", second=section)
    for option in ("--json" if json else None, section) if token is not None else ():
        if option is not None:
            raise VitralError("options_clash", first="--token", second=option)
    target = NewFile(save, overwrite) if save is not None else None
    recorded = opened_or_traced(
        text,
        model,
        file,
        open,
        base,
        special_tokens=special_tokens,
        no_added_tokens=no_added_tokens,
    )
    traced = read_as(
        recorded, without_resting=without_resting, words=words, mean_of=mean_of, head=head
    )
    head = head or 0
    weights = traced.attention(layer=layer, head=head, part=part)
    from vitral.cli.picture_view import has_grid, print_picture

    if token is not None and not has_grid(traced, part):
        raise VitralError("picture_only", option="--token")
    size_rows, size_columns = weights.shape
    shown_rows = token_range("--rows", rows, size_rows)
    shown_columns = token_range("--columns", columns, size_columns)
    if target is not None:
        target.write(recorded.save)
    if json:
        _print_json(traced, part, layer, head)
    elif has_grid(traced, part) and section is None:
        print_picture(Console(highlight=False), traced, layer, head, token, part)
    else:
        from vitral.cli.pattern_view import print_pattern

        print_pattern(
            Console(highlight=False),
            traced,
            layer,
            head,
            rows=shown_rows,
            columns=shown_columns,
            max_lines=None if section else MAX_LINES,
            part=part,
        )
        _print_notes(traced, part)
    if target is not None:
        note = message("cli.trace.saved", path=target.path)
        Console(stderr=json, highlight=False, soft_wrap=True).print(Text(note))


def _print_notes(traced: "Trace", part: str | None) -> None:
    """What a reader should know of these weights: where they come from, what was read."""
    console = Console(highlight=False, soft_wrap=True)
    if traced.exactness == "eager":
        console.print(Text(message("cli.trace.eager", model=traced.model)))
    if traced.decoder_tokens and len(traced.query_tokens(part)) == 1:
        console.print(Text(message("cli.trace.start_only")))


def _print_json(traced: "Trace", part: str | None, layer: int, head: int) -> None:
    """The head as JSON on stdout, and nothing else.

    Its part stands there where a model has several, and what the decoder read where it has one.
    """
    shown = traced.part(part).name
    decoder = {"decoder_tokens": [_entries(token) for token in traced.decoder_tokens]}
    document = {
        "model": traced.model,
        "tokens": [_entries(token) for token in traced.tokens],
        **(decoder if traced.decoder_tokens else {}),
        **({"part": shown} if shown else {}),
        "exactness": traced.exactness,
        "layer": layer,
        "head": head,
        "pattern": traced.attention(layer=layer, head=head, part=part).tolist(),
    }
    if not traced.reading.is_plain:
        document["reading"] = traced.reading.name
    if (part or traced.first_part) in traced.keys:
        document["keys"] = [_entries(token) for token in traced.key_tokens(part)]
    if traced.surface is not None and traced.surface.kind != "text":
        document["surface"] = traced.surface.entries()
    sys.stdout.write(json_module.dumps(document) + "\n")


def _entries(token: "Token") -> dict[str, object]:
    """A token's text and place."""
    kept = token.entries()
    return {name: kept[name] for name in ("text", "start", "end", "patch") if name in kept}
