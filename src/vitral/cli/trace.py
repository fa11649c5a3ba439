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
    layer: Annotated[int, Parameter(help=message("cli.trace.layer"))] = 0,
    head: Annotated[int, Parameter(help=message("cli.trace.head"))] = 0,
    rows: Annotated[str | None, Parameter(help=message("cli.trace.rows"))] = None,
    columns: Annotated[str | None, Parameter(help=message("cli.trace.columns"))] = None,
    token: Annotated[str | None, Parameter(help=message("cli.trace.token"))] = None,
    json: Annotated[bool, Parameter(help=message("cli.trace.json"), negative="")] = False,
    file: Annotated[
        str | None, Parameter(help=message("cli.file"), allow_leading_hyphen=True)
    ] = None,
    open: Annotated[Path | None, Parameter(help=message("cli.trace.open"))] = None,
    save: Annotated[Path | None, Parameter(help=message("cli.trace.save"))] = None,
    overwrite: Annotated[bool, Parameter(help=message("cli.trace.overwrite"), negative="")] = False,
) -> None:
    """Trace a text or a picture (or open a saved trace) and show one head of it."""
    part = "--rows" if rows is not None else "--columns" if columns is not None else None
    if json and part:
        raise VitralError("options_clash", first="--json", second=part)
    for option in ("--json", part) if token is not None else ():
        if option is not None and (option != "--json" or json):
            raise VitralError("options_clash", first="--token", second=option)
    target = NewFile(save, overwrite) if save is not None else None
    traced = opened_or_traced(text, model, file, open)
    weights = traced.attention(layer=layer, head=head)
    between_texts = traced.query_tokens() is not traced.key_tokens() and not traced.keys
    if between_texts and (json or target is None):
        raise VitralError("trace_of_two_texts", model=traced.model)
    from vitral.cli.picture_view import has_grid, print_picture

    if token is not None and not has_grid(traced):
        raise VitralError("picture_only", option="--token")
    if target is not None:
        target.write(traced.save)
    if json:
        _print_json(traced, layer, head)
    elif has_grid(traced) and part is None:
        print_picture(Console(highlight=False), traced, layer, head, token)
    elif not between_texts:
        from vitral.cli.pattern_view import print_pattern

        size_rows, size_columns = weights.shape
        print_pattern(
            Console(highlight=False),
            traced,
            layer,
            head,
            rows=token_range("--rows", rows, size_rows),
            columns=token_range("--columns", columns, size_columns),
            max_lines=None if part else MAX_LINES,
        )
        if traced.exactness == "eager":
            said = message("cli.trace.eager", model=traced.model)
            Console(highlight=False, soft_wrap=True).print(Text(said))
    if target is not None:
        note = message("cli.trace.saved", path=target.path)
        Console(stderr=json, highlight=False, soft_wrap=True).print(Text(note))


def _print_json(traced: "Trace", layer: int, head: int) -> None:
    """The head as JSON on stdout, and nothing else."""
    document = {
        "model": traced.model,
        "tokens": [_told(token) for token in traced.query_tokens()],
        "exactness": traced.exactness,
        "layer": layer,
        "head": head,
        "pattern": traced.attention(layer=layer, head=head).tolist(),
    }
    if traced.first_part in traced.keys:
        document["keys"] = [_told(token) for token in traced.key_tokens()]
    if traced.surface is not None and traced.surface.kind != "text":
        document["surface"] = traced.surface.entries()
    sys.stdout.write(json_module.dumps(document) + "\n")


def _told(token: "Token") -> dict[str, object]:
    """A token's text and place."""
    kept = token.entries()
    return {name: kept[name] for name in ("text", "start", "end", "patch") if name in kept}
