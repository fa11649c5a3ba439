"""`vitral tokens`: how a model splits a text."""

import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vitral.cli.source_text import source_text
from vitral.messages import message

if TYPE_CHECKING:
    from vitral.tracing import Token


def tokens(
    text: Annotated[str | None, Parameter(help=message("cli.text"))] = None,
    /,
    *,
    model: Annotated[str | None, Parameter(help=message("cli.model"))] = None,
    file: Annotated[
        str | None, Parameter(help=message("cli.file"), allow_leading_hyphen=True)
    ] = None,
    special_tokens: Annotated[
        bool, Parameter(help=message("cli.special_tokens"), negative="")
    ] = False,
    no_added_tokens: Annotated[
        bool, Parameter(help=message("cli.no_added_tokens"), negative="")
    ] = False,
    json: Annotated[bool, Parameter(help=message("cli.tokens.json"), negative="")] = False,
) -> None:
    """Show the tokens of a text: number, text, position, and id."""
    source = source_text(text, file)
    from vitral.cli.token_labels import labels

    options = {"special_tokens": special_tokens, "add_special_tokens": not no_added_tokens}
    name, found = _read(source, model, options)
    if json:
        entries = [
            {"id": token.id, "text": token.text, "start": token.start, "end": token.end}
            for token in found
        ]
        sys.stdout.write(json_module.dumps({"model": name, "tokens": entries}) + "\n")
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


def _read(source: str, model: str | None, options: dict[str, bool]) -> "tuple[str, list[Token]]":
    """The model's name and the tokens. A folder with only a tokenizer is enough."""
    import vitral
    from vitral.models.catalog import BUNDLED
    from vitral.text.tokenizer_folder import FILE, read_tokenizer
    from vitral.tracing.recording.reading import read_text

    folder = Path(model or BUNDLED[0]).expanduser()
    if (folder / FILE).is_file() and not (folder / "config.json").exists():
        return folder.resolve().name, read_text(read_tokenizer(folder / FILE), source, **options)
    loaded = vitral.load(model or BUNDLED[0])
    return loaded.name, loaded.tokens(source, **options)
