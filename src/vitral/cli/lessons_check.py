"""`vitral lessons check`: what is wrong with one lesson."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vitral.messages import message


def check(
    name: Annotated[str, Parameter(help=message("cli.lessons.name"))],
    *,
    lessons: Annotated[tuple[Path, ...], Parameter(help=message("cli.lessons.folder"))] = (),
    translated: Annotated[
        bool, Parameter(help=message("cli.lessons.translated"), negative="")
    ] = False,
) -> int:
    """Exit code 1 if anything is wrong; each thing is a line."""
    from vitral.lessons.checking import problems_of
    from vitral.lessons.shelf import Shelf
    from vitral.lessons.translating import mark_translated

    shelf = Shelf(lessons)
    lesson = shelf.lesson(name)
    if translated and mark_translated(lesson.folder):
        from vitral.lessons.shelf import our_lessons

        our_lessons.cache_clear()
        shelf = Shelf(lessons)
        lesson = shelf.lesson(name)
    problems = problems_of(shelf, lesson)
    for problem in problems:
        print(problem)
    if not problems:
        print(message("cli.lessons.fine", lesson=name))
    return 1 if problems else 0
