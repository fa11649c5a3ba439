"""What the Learn room knows and does: its shelf, its secret, and whose turn it is to run code."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any, Literal, TypeVar

from vitral.errors import VitralError
from vitral.lessons.answering import (
    checked_claims,
    observed_right,
    predicted_right,
    right_answer,
    tuned,
    within,
)
from vitral.lessons.lesson import Lesson
from vitral.lessons.manifest import ObserveEntry, TuneEntry, WriteEntry
from vitral.lessons.models import models_of
from vitral.lessons.picture import Drawing, Value
from vitral.lessons.running.judge import judge
from vitral.lessons.running.protection import protection
from vitral.lessons.shelf import Shelf
from vitral.studio.gate.error_body import error_body
from vitral.studio.room import RoomState
from vitral.studio.rooms.learn import schemas
from vitral.studio.rooms.learn.progress import Progress
from vitral.studio.rooms.learn.settings import LearnSettings
from vitral.studio.session import Session

R = TypeVar("R")
Runner = Literal["bubblewrap", "process", "none", "off"]


class Learning(RoomState):
    """Coroutines are called from the event loop; what they compute runs in the workshop."""

    def __init__(self, session: Session, settings: LearnSettings) -> None:
        """Raises what reading the lessons of others raises."""
        self.session = session
        self.settings = settings
        self.progress = Progress(settings.progress)
        self.secret = secrets.token_urlsafe(24)
        self._turns = asyncio.Semaphore(settings.runs_at_once)
        self._numbers: dict[str, dict[str, schemas.NumberShown]] = {}
        if settings.lessons:
            assert self.shelf is not None

    @cached_property
    def shelf(self) -> Shelf:
        """All lessons; ours are read when the room is first entered."""
        return Shelf(self.settings.lessons)

    @property
    def runner(self) -> Runner:
        """What a learner's code runs under."""
        return protection() if self.settings.runs_code else "off"

    def lesson(self, name: str) -> Lesson:
        """Raises VitralError("lesson_unknown")."""
        return self.shelf.lesson(name)

    async def draw(self, lesson: Lesson, figure: str, values: Mapping[str, Any]) -> Drawing:
        """A figure where the reader has moved it. Raises VitralError: lesson_value,
        lesson_part_unknown, and what the experiment raises."""
        at = {**lesson.figure(figure).values, **within(lesson, figure, values)}
        return await self._computed(at, partial(self.shelf.draw, lesson, figure, at))

    async def numbers(self, lesson: Lesson) -> dict[str, schemas.NumberShown]:
        """The numbers of the prose; computed once."""
        if lesson.name not in self._numbers:
            entries = lesson.manifest.numbers

            def compute() -> dict[str, schemas.NumberShown]:
                return {
                    name: schemas.NumberShown(
                        value=self.shelf.number(lesson, entry),
                        digits=entry.digits,
                        percent=entry.percent,
                    )
                    for name, entry in entries.items()
                }

            work = partial(self._lent, compute)
            self._numbers[lesson.name] = await self.session.workshop.run(work)
        return self._numbers[lesson.name]

    async def predict(self, lesson: Lesson, name: str, given: Value) -> schemas.MarkedAnswer:
        """Compare a prediction with what the experiment gives."""
        entry = part_of(lesson.manifest.predictions, name)
        at = {**lesson.figure(entry.figure).values, **entry.values}
        right = await self._computed(at, partial(right_answer, self.shelf, lesson, entry))
        passed = predicted_right(entry, given, right)
        await asyncio.to_thread(self.progress.note, lesson.name, name, "predict", passed)
        return schemas.MarkedAnswer(right=passed, answer=right)

    async def attempt(
        self, lesson: Lesson, name: str, given: schemas.Attempt, secret: str | None, language: str
    ) -> schemas.MarkedAttempt:
        """Mark an exercise. Raises VitralError: code_off, code_secret, request_invalid and what
        `draw` raises."""
        entry = part_of(lesson.manifest.exercises, name)
        if isinstance(entry, WriteEntry):
            marked = await self._judged(lesson, name, entry, given, secret, language)
        elif isinstance(entry, TuneEntry):
            if given.values is None:
                raise _missing("values")
            values = given.values
            at = {**lesson.figure(entry.figure).values, **values}
            work = partial(tuned, self.shelf, lesson, entry, values)
            holds = await self._computed(at, work)
            marked = schemas.MarkedAttempt(passed=all(holds), holds=holds)
        else:
            marked = await self._observed(lesson, entry, given)
        note = partial(self.progress.note, lesson.name, name, "exercise", marked.passed)
        await asyncio.to_thread(note)
        return marked

    async def claims(self, lesson: Lesson, name: str, values: Mapping[str, Any]) -> schemas.Claimed:
        """Check the lesson's claims on what the reader brought."""
        entry = part_of(lesson.manifest.yours, name)
        at = {**lesson.figure(entry.figure).values, **values}
        work = partial(checked_claims, self.shelf, lesson, entry, values)
        drawing, holds = await self._computed(at, work)
        return schemas.Claimed(drawing=drawing, holds=holds)

    async def _observed(
        self, lesson: Lesson, entry: ObserveEntry, given: schemas.Attempt
    ) -> schemas.MarkedAttempt:
        if given.answer is None:
            raise _missing("answer")
        at = {**lesson.figure(entry.figure).values, **entry.values}
        right = await self._computed(at, partial(right_answer, self.shelf, lesson, entry))
        return schemas.MarkedAttempt(passed=observed_right(entry, given.answer, right))

    async def _judged(
        self,
        lesson: Lesson,
        name: str,
        entry: WriteEntry,
        given: schemas.Attempt,
        secret: str | None,
        language: str,
    ) -> schemas.MarkedAttempt:
        if given.code is None:
            raise _missing("code")
        if self.runner in ("off", "none"):
            raise VitralError("code_off")
        if not secrets.compare_digest((secret or "").encode(), self.secret.encode()):
            raise VitralError("code_secret")
        async with self._turns:
            verdict = await asyncio.to_thread(
                judge, lesson, name, entry, given.code, self.settings.bounds
            )
        line = None if verdict.line is None else error_body(verdict.line, language).error
        return schemas.MarkedAttempt(
            passed=verdict.passed, line=line, words=verdict.words, printed=verdict.printed
        )

    async def _computed(self, at: Mapping[str, Any], work: Callable[[], R]) -> R:
        """In the quick lane, or, if the figure asks a model, where models run."""
        model = at.get("model")
        lent = partial(self._lent, work)
        if model is None:
            return await self.session.workshop.quick(lent)
        self.session.catalog.check(str(model))
        return await self.session.workshop.run_on(str(model), None, lent)

    def _lent(self, work: Callable[[], R]) -> R:
        """In a worker's thread: `work`, with the models of this Studio."""
        with models_of(self.session.catalog.borrow):
            return work()


def part_of(entries: Mapping[str, R], name: str) -> R:
    """A part of a lesson. Raises VitralError("lesson_part_unknown")."""
    if name not in entries:
        raise VitralError("lesson_part_unknown", part=name[:80])
    return entries[name]


def _missing(field: str) -> VitralError:
    return VitralError("request_invalid", field=f"body.{field}", reason="Field required")
