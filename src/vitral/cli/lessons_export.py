"""`vitral lessons export`: a lesson as a notebook, a marimo notebook or an offline page."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from vitral.errors import VitralError
from vitral.messages import message, preferred_language

ENDINGS = {"notebook": ".ipynb", "marimo": ".py", "page": ".html"}


def export(
    name: Annotated[str, Parameter(help=message("cli.lessons.name"))],
    *,
    to: Annotated[str, Parameter(help=message("cli.lessons.export_to"))],
    out: Annotated[Path | None, Parameter(help=message("cli.lessons.export_out"))] = None,
    language: Annotated[
        Literal["es", "en"] | None, Parameter(help=message("cli.lessons.language"))
    ] = None,
    lessons: Annotated[tuple[Path, ...], Parameter(help=message("cli.lessons.folder"))] = (),
    overwrite: Annotated[
        bool, Parameter(help=message("cli.lessons.overwrite"), negative="")
    ] = False,
) -> None:
    """Write the lesson with its numbers filled in; figures are computed where it is opened."""
    from vitral.cli.new_file import NewFile
    from vitral.lessons.exporting import notebooks, page
    from vitral.lessons.exporting.markdown import parts_of
    from vitral.lessons.shelf import Shelf

    if to not in ENDINGS:
        raise VitralError("lesson_export_kind", kind=to)
    shelf = Shelf(lessons)
    lesson = shelf.lesson(name)
    file = NewFile(out or Path(f"{name}{ENDINGS[to]}"), overwrite)
    chosen: Literal["es", "en"] = language or ("es" if preferred_language() == "es" else "en")
    parts = parts_of(shelf, lesson, chosen)
    if to == "page":
        text = page.page(shelf, lesson, chosen, parts)
    else:
        text = (notebooks.notebook if to == "notebook" else notebooks.marimo)(name, parts)
    file.write(lambda path: path.write_text(text, encoding="utf-8"))
    print(message("cli.lessons.exported", lesson=name, file=file.path))
