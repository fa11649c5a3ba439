"""The lessons there are: every folder with a `lesson.yaml` beside this file, and those of others.

shelf = Shelf()                       the lessons that came with Vitral
shelf = Shelf([Path("mis-clases")])   and those in a folder of others: data, no code of theirs
shelf.draw(shelf.lesson("activations"), "curves", {"x": 2.0})
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from vitral.errors import VitralError
from vitral.lessons.experiment import Experiment
from vitral.lessons.lesson import Lesson, read_lesson, value_of
from vitral.lessons.manifest import NumberEntry, Values
from vitral.lessons.picture import Drawing, Value

OURS = Path(__file__).parent


def folders_in(folder: Path) -> list[Path]:
    """The lessons in a folder: itself, or the folders directly below it."""
    if (folder / "lesson.yaml").is_file():
        return [folder]
    return sorted(path.parent for path in folder.glob("*/lesson.yaml"))


@lru_cache(maxsize=1)
def our_lessons() -> tuple[Lesson, ...]:
    """The lessons that came with Vitral, in their order; read once."""
    found = [read_lesson(folder, ours=True) for folder in folders_in(OURS)]
    return tuple(sorted(found, key=lambda lesson: lesson.manifest.number))


class Shelf:
    """All lessons of one Studio or command."""

    def __init__(self, others: Sequence[Path] = (), ours: Sequence[Lesson] | None = None) -> None:
        """Raises VitralError: lesson_folder, lesson_twice, and what reading raises."""
        found = list(our_lessons() if ours is None else ours)
        for folder in others:
            below = folders_in(folder)
            if not below:
                raise VitralError("lesson_folder", folder=str(folder))
            found += [read_lesson(each, ours=False) for each in below]
        self.lessons: dict[str, Lesson] = {}
        for lesson in found:
            if lesson.name in self.lessons:
                raise VitralError("lesson_twice", lesson=lesson.name)
            self.lessons[lesson.name] = lesson

    def lesson(self, name: str) -> Lesson:
        """Raises VitralError("lesson_unknown")."""
        if name not in self.lessons:
            known = ", ".join(self.lessons)
            raise VitralError("lesson_unknown", lesson=name, known=known)
        return self.lessons[name]

    def experiment(self, lesson: Lesson, figure: str) -> Experiment[Any]:
        """The experiment of a lesson's figure. Raises VitralError("lesson_part_unknown")."""
        written = lesson.figure(figure).experiment
        owner, _, name = written.rpartition(".")
        home = self.lesson(owner) if owner else lesson
        if name not in home.experiments:
            raise VitralError("lesson_part_unknown", part=written)
        return home.experiments[name]

    def draw(self, lesson: Lesson, figure: str, values: Mapping[str, Any] | None = None) -> Drawing:
        """A figure at the lesson's values, and where they are given at those of `values`."""
        at: Values = {**lesson.figure(figure).values, **(values or {})}
        return self.experiment(lesson, figure).run(at)

    def value(self, lesson: Lesson, figure: str, values: Mapping[str, Any], name: str) -> Value:
        """One value of a figure."""
        return value_of(self.draw(lesson, figure, values), name)

    def number(self, lesson: Lesson, entry: NumberEntry) -> float:
        """A number of the prose."""
        value = self.value(lesson, entry.figure, entry.values, entry.value)
        if isinstance(value, bool | str):
            raise VitralError("lesson_part_unknown", part=entry.value)
        return float(value)
