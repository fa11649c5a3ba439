"""`vitral tokens`: how a model cuts a text."""

import json as json_module
import sys
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vitral.cli.source_text import source_text
from vitral.messages import message


def tokens(
    text: Annotated[str | None, Parameter(help=message("cli.text"))] = None,
    /,
    *,
    model: Annotated[str | None, Parameter(help=message("cli.model"))] = None,
    file: Annotated[
        str | None, Parameter(help=message("cli.file"), allow_leading_hyphen=True)
    ] = None,
    json: Annotated[bool, Parameter(help=message("cli.tokens.json"), negative="")] = False,
) -> None:
    """Show the tokens of a text: number, piece of the text, where it stands, and id."""
    source = source_text(text, file)
    import vitral
    from vitral.cli.token_labels import labels
    from vitral.models.catalog import BUNDLED

    loaded = vitral.load(model or BUNDLED[0])
    found = loaded.tokens(source)
    if json:
        entries = [
            {"id": token.id, "text": token.text, "start": token.start, "end": token.end}
            for token in found
        ]
        sys.stdout.write(json_module.dumps({"model": loaded.name, "tokens": entries}) + "\n")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(message("cli.tokens.number"), justify="right")
    table.add_column(message("cli.tokens.text"), overflow="fold")
    table.add_column(message("cli.tokens.place"))
    table.add_column(message("cli.tokens.id"), justify="right")
    for index, (token, label) in enumerate(zip(found, labels(found), strict=True)):
        place = "" if token.start is None else f"{token.start}–{token.end}"
        style = "dim" if token.special else ""
        table.add_row(str(index), Text(label, style), place, str(token.id))
    console = Console(highlight=False)
    console.print(table)
    console.print(
        Text(message("cli.tokens.sum", num_tokens=len(found), num_characters=len(source))),
        style="dim",
    )
