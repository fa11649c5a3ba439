"""The Learn room's addresses. Bodies stand in schemas.py, the work in learning.py."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Header

from vitral.lessons.picture import Drawing
from vitral.studio.current import state_of
from vitral.studio.gate.language import accepted_language
from vitral.studio.rooms.learn import schemas
from vitral.studio.rooms.learn.describing import card_of, text_of
from vitral.studio.rooms.learn.learning import Learning

router = APIRouter(prefix="/api/lessons")

CurrentLearning = Annotated[Learning, Depends(state_of(Learning))]


@router.get("")
async def get_lessons(learning: CurrentLearning) -> schemas.LessonShelf:
    """The lessons in their order, what is done, and whether code may be run here."""
    shelf = await asyncio.to_thread(lambda: learning.shelf)
    done = await asyncio.to_thread(learning.progress.done)
    return schemas.LessonShelf(
        lessons=[card_of(lesson, done) for lesson in shelf.lessons.values()],
        runner=await asyncio.to_thread(lambda: learning.runner),
        secret=learning.secret,
    )


@router.delete("/progress", status_code=204)
async def delete_progress(learning: CurrentLearning) -> None:
    """Forget what is done."""
    await asyncio.to_thread(learning.progress.forget)


@router.get("/{name}")
async def get_lesson(name: str, learning: CurrentLearning) -> schemas.LessonText:
    """A lesson: its prose in both languages, and what the prose names."""
    lesson = await asyncio.to_thread(learning.lesson, name)
    return await asyncio.to_thread(text_of, learning.shelf, lesson)


@router.get("/{name}/numbers")
async def get_numbers(name: str, learning: CurrentLearning) -> dict[str, schemas.NumberShown]:
    """The numbers of its prose, computed."""
    lesson = await asyncio.to_thread(learning.lesson, name)
    return await learning.numbers(lesson)


@router.post("/{name}/figures/{figure}")
async def post_figure(
    name: str, figure: str, at: schemas.FigureAt, learning: CurrentLearning
) -> Drawing:
    """A figure with some parameters moved."""
    lesson = await asyncio.to_thread(learning.lesson, name)
    return await learning.draw(lesson, figure, at.values)


@router.post("/{name}/predictions/{prediction}")
async def post_prediction(
    name: str, prediction: str, given: schemas.GivenAnswer, learning: CurrentLearning
) -> schemas.MarkedAnswer:
    """An answer to a question, compared with what its experiment gives."""
    lesson = await asyncio.to_thread(learning.lesson, name)
    return await learning.predict(lesson, prediction, given.answer)


@router.post("/{name}/exercises/{exercise}")
async def post_exercise(
    name: str,
    exercise: str,
    given: schemas.Attempt,
    learning: CurrentLearning,
    vitral_secret: Annotated[str | None, Header()] = None,
    accept_language: Annotated[str | None, Header()] = None,
) -> schemas.MarkedAttempt:
    """An attempt at an exercise, marked; code runs in a process of its own."""
    lesson = await asyncio.to_thread(learning.lesson, name)
    language = accepted_language(accept_language)
    return await learning.attempt(lesson, exercise, given, vitral_secret, language)


@router.post("/{name}/yours/{part}")
async def post_yours(
    name: str, part: str, at: schemas.FigureAt, learning: CurrentLearning
) -> schemas.Claimed:
    """The lesson's claims, checked on what the reader brought."""
    lesson = await asyncio.to_thread(learning.lesson, name)
    return await learning.claims(lesson, part, at.values)
