"""A lesson as the page is given it: everything but the answers."""

from collections.abc import Collection

from vitral.lessons.lesson import Lesson
from vitral.lessons.manifest import ExerciseEntry, Said, WriteEntry
from vitral.lessons.shelf import Shelf
from vitral.studio.rooms.learn import schemas


def card_of(lesson: Lesson, done: Collection[tuple[str, str]]) -> schemas.LessonCard:
    """A lesson on the shelf; `done` are lesson and part of what is."""
    manifest = lesson.manifest
    parts = [*manifest.predictions, *manifest.exercises]
    return schemas.LessonCard(
        name=lesson.name,
        number=manifest.number,
        title=manifest.title,
        summary=manifest.summary,
        minutes=manifest.minutes,
        needs=manifest.needs,
        parts=parts,
        done=[part for part in parts if (lesson.name, part) in done],
        ours=lesson.ours,
    )


def text_of(shelf: Shelf, lesson: Lesson) -> schemas.LessonText:
    """A lesson, to be read."""
    manifest = lesson.manifest
    names = list(shelf.lessons)
    at = names.index(lesson.name)
    return schemas.LessonText(
        name=lesson.name,
        number=manifest.number,
        title=manifest.title,
        summary=manifest.summary,
        blocks={"es": lesson.prose["es"], "en": lesson.prose["en"]},
        words={**_borrowed(shelf, lesson), **manifest.words},
        figures=manifest.figures,
        predictions={
            name: schemas.PredictionShown(
                figure=each.figure,
                values=each.values,
                options=each.options,
                range=each.range,
                step=each.step,
            )
            for name, each in manifest.predictions.items()
        },
        exercises={name: _exercise(each) for name, each in manifest.exercises.items()},
        yours={
            name: schemas.YoursShown(figure=each.figure, values=each.values)
            for name, each in manifest.yours.items()
        },
        code=manifest.code,
        before=names[at - 1] if at > 0 else None,
        after=names[at + 1] if at + 1 < len(names) else None,
    )


def _borrowed(shelf: Shelf, lesson: Lesson) -> dict[str, Said]:
    """The labels of figures that are other lessons'."""
    found: dict[str, Said] = {}
    for figure in lesson.manifest.figures.values():
        owner = figure.experiment.rpartition(".")[0]
        if owner:
            found |= shelf.lesson(owner).manifest.words
    return found


def _exercise(entry: ExerciseEntry) -> schemas.ExerciseShown:
    if isinstance(entry, WriteEntry):
        return schemas.ExerciseShown(
            kind="write",
            figure=None,
            values={},
            unit=None,
            function=entry.function,
            start=entry.start,
        )
    return schemas.ExerciseShown(
        kind=entry.kind,
        figure=entry.figure,
        values=entry.values if entry.kind == "tune" else {},
        unit=entry.unit if entry.kind == "observe" else None,
        function=None,
        start=None,
    )
