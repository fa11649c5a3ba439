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
    from vitral.tracing import Trace

MAX_LINES = 100
"""A table of more lines than this is shown as a map, unless a part of it is asked for."""


def trace(
    text: Annotated[str | None, Parameter(help=message("cli.text"))] = None,
    /,
    *,
    model: Annotated[str | None, Parameter(help=message("cli.model"))] = None,
    layer: Annotated[int, Parameter(help=message("cli.trace.layer"))] = 0,
    head: Annotated[int, Parameter(help=message("cli.trace.head"))] = 0,
    rows: Annotated[str | None, Parameter(help=message("cli.trace.rows"))] = None,
    columns: Annotated[str | None, Parameter(help=message("cli.trace.columns"))] = None,
    json: Annotated[bool, Parameter(help=message("cli.trace.json"), negative="")] = False,
    file: Annotated[
        str | None, Parameter(help=message("cli.file"), allow_leading_hyphen=True)
    ] = None,
    open: Annotated[Path | None, Parameter(help=message("cli.trace.open"))] = None,
    save: Annotated[Path | None, Parameter(help=message("cli.trace.save"))] = None,
    overwrite: Annotated[bool, Parameter(help=message("cli.trace.overwrite"), negative="")] = False,
) -> None:
    """Trace a text (or open a saved trace) and show one head of it."""
    part = "--rows" if rows is not None else "--columns" if columns is not None else None
    if json and part:
        raise VitralError("options_clash", first="--json", second=part)
    target = NewFile(save, overwrite) if save is not None else None
    traced = opened_or_traced(text, model, file, open)
    weights = traced.attention(layer=layer, head=head)
    between_texts = traced.first_part == "cross"
    if between_texts and (json or target is None):
        raise VitralError("trace_of_two_texts", model=traced.model)
    if target is not None:
        target.write(traced.save)
    if json:
        _print_json(traced, layer, head)
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
        "tokens": [
            {"text": token.text, "start": token.start, "end": token.end} for token in traced.tokens
        ],
        "exactness": traced.exactness,
        "layer": layer,
        "head": head,
        "pattern": traced.attention(layer=layer, head=head).tolist(),
    }
    sys.stdout.write(json_module.dumps(document) + "\n")
