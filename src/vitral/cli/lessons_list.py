"""`vitral lessons list`, or `vitral lessons` alone: the lessons there are."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from vitral.messages import message, preferred_language


def list(
    *, lessons: Annotated[tuple[Path, ...], Parameter(help=message("cli.lessons.folder"))] = ()
) -> None:
    """Name, title and length of every lesson, in their order."""
    from vitral.lessons.shelf import Shelf

    language = preferred_language()
    table = Table(box=None, pad_edge=False)
    for key in ("number", "name", "title", "minutes"):
        table.add_column(message(f"cli.lessons.column_{key}"))
    for lesson in Shelf(lessons).lessons.values():
        manifest = lesson.manifest
        title = manifest.title.es if language == "es" else manifest.title.en
        table.add_row(str(manifest.number), lesson.name, title, f"{manifest.minutes} min")
    Console(highlight=False, soft_wrap=True).print(table)
