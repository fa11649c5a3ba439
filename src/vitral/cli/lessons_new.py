"""`vitral lessons new`: the files of a new lesson, which pass the tests as they stand."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vitral.messages import message


def new(
    name: Annotated[str, Parameter(help=message("cli.lessons.name"))],
    *,
    to: Annotated[Path | None, Parameter(help=message("cli.lessons.new_to"))] = None,
) -> None:
    """Write a beginning, to be written over."""
    from vitral.lessons.skeleton import make_lesson

    print(message("cli.lessons.made", folder=make_lesson(name, to)))
