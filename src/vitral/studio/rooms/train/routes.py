"""The Train room's addresses. Bodies are in schemas.py, the work in trainings.py and below it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from vitral.errors import VitralError
from vitral.studio.current import CurrentSession, state_of
from vitral.studio.gate.language import accepted_language
from vitral.studio.responses import NO_STORE, block_response, block_with, stream_of
from vitral.studio.rooms.train import schemas
from vitral.studio.rooms.train.events import listen
from vitral.studio.rooms.train.trainings import Trainings
from vitral.studio.rooms.train.watched import (
    WatchedPatternHeader,
    WatchedPooledHeader,
    pattern_block,
    pooled_block,
)

UPLOADS = "/api/training/texts"
"""The one address whose body may be larger than others': it is checked while it arrives."""

router = APIRouter(prefix="/api/training")

_EVENTS = stream_of("text/event-stream", schemas.Run, schemas.CurveEvent, schemas.WatchedEvent)


CurrentTrainings = Annotated[Trainings, Depends(state_of(Trainings))]
Step = Annotated[int, Query(ge=0, le=10**9)]
Number = Annotated[int, Query(ge=0, le=10**6)]


@router.get("")
async def get_training(trainings: CurrentTrainings) -> schemas.Training:
    """The texts there are, the runs, and the limits."""
    return await asyncio.to_thread(trainings.training)


@router.get("/form")
async def get_form(trainings: CurrentTrainings) -> list[schemas.RecipeField]:
    """The entries of a recipe, as a form asks for them."""
    return await asyncio.to_thread(trainings.form)


@router.post("/texts")
async def post_text(
    request: Request,
    trainings: CurrentTrainings,
    name: Annotated[str, Query(min_length=1, max_length=300)],
) -> schemas.TrainingText:
    """A text, as the body: UTF-8, .txt or .jsonl by its name, checked while it arrives."""
    announced = request.headers.get("content-length", "0")
    chunks = request.stream()
    try:
        return await trainings.upload(chunks, name, int(announced) if announced.isdecimal() else 0)
    except VitralError:
        await _let_pass(chunks, trainings.settings.upload_bytes)
        raise


async def _let_pass(chunks: AsyncIterator[bytes], most: int) -> None:
    """Read the rest and discard it: a browser reads the answer only after it has sent its file,
    and gets none if the connection is closed before."""
    passed = 0
    async for chunk in chunks:
        passed += len(chunk)
        if passed > most:
            return


@router.delete("/texts/{text_id}", status_code=204)
async def delete_text(text_id: str, trainings: CurrentTrainings) -> None:
    """Delete an uploaded text."""
    await asyncio.to_thread(trainings.texts.delete, text_id)


@router.post("/proposal")
async def post_proposal(
    body: schemas.ProposalRequest, session: CurrentSession, trainings: CurrentTrainings
) -> schemas.Proposal:
    """What the dial would choose on this machine for that text and time. Takes some seconds."""
    trainings.texts.find(body.text)
    return await session.workshop.run(trainings.propose, body.text, body.minutes)


@router.post("/runs", status_code=201)
async def post_run(
    body: schemas.RunRequest,
    trainings: CurrentTrainings,
    accept_language: Annotated[str | None, Header()] = None,
) -> schemas.Run:
    """Start a training, or queue it if another one is running."""
    return await asyncio.to_thread(trainings.begin, body, accepted_language(accept_language))


@router.get("/runs/{run_id}")
async def get_run(run_id: str, trainings: CurrentTrainings) -> schemas.Run:
    """The state of one training."""
    return await asyncio.to_thread(trainings.described, run_id)


@router.delete("/runs/{run_id}", status_code=204)
async def delete_run(run_id: str, trainings: CurrentTrainings) -> None:
    """Delete a paused or finished training, with its model."""
    await asyncio.to_thread(trainings.delete, run_id)


@router.post("/runs/{run_id}/pause")
async def post_pause(run_id: str, trainings: CurrentTrainings) -> schemas.Run:
    """Finish the step, save, and pause."""
    await asyncio.to_thread(trainings.scheduler.pause, run_id)
    return await asyncio.to_thread(trainings.described, run_id)


@router.post("/runs/{run_id}/resume")
async def post_resume(run_id: str, trainings: CurrentTrainings) -> schemas.Run:
    """Resume from the last checkpoint, when its turn in the queue comes."""
    await asyncio.to_thread(trainings.scheduler.resume, run_id)
    await asyncio.to_thread(trainings.scheduler.tick)
    return await asyncio.to_thread(trainings.described, run_id)


@router.post("/runs/{run_id}/stop")
async def post_stop(run_id: str, trainings: CurrentTrainings) -> schemas.Run:
    """End now, with the model as it is."""
    await asyncio.to_thread(trainings.scheduler.stop, run_id)
    await asyncio.to_thread(trainings.scheduler.tick)
    return await asyncio.to_thread(trainings.described, run_id)


@router.get("/runs/{run_id}/events", response_class=StreamingResponse, responses=_EVENTS)
async def get_events(
    run_id: str,
    trainings: CurrentTrainings,
    last_event_id: Annotated[str | None, Header(max_length=200)] = None,
) -> StreamingResponse:
    """The events of a training as they happen; continues after Last-Event-ID."""
    path = await asyncio.to_thread(trainings.runs.path, run_id)
    if trainings.num_listening >= trainings.settings.listeners:
        raise VitralError("studio_busy")

    async def events() -> AsyncIterator[str]:
        trainings.num_listening += 1
        try:
            async for event in listen(path, lambda: trainings.describe(run_id), last_event_id):
                yield event
        finally:
            trainings.num_listening -= 1

    headers = {**NO_STORE, "X-Accel-Buffering": "no"}
    return StreamingResponse(events(), media_type="text/event-stream", headers=headers)


@router.get(
    "/runs/{run_id}/watched/pooled",
    response_class=Response,
    responses=block_with(WatchedPooledHeader),
)
async def get_watched_pooled(
    run_id: str, session: CurrentSession, trainings: CurrentTrainings, step: Step
) -> Response:
    """A small map of every head on the watched sentence after that step."""
    path = await asyncio.to_thread(trainings.runs.path, run_id)
    block = await asyncio.to_thread(pooled_block, path, step, session.limits.pooled_side)
    return block_response(block)


@router.get(
    "/runs/{run_id}/watched/pattern",
    response_class=Response,
    responses=block_with(WatchedPatternHeader),
)
async def get_watched_pattern(
    run_id: str, trainings: CurrentTrainings, step: Step, layer: Number, head: Number
) -> Response:
    """One head's exact weights on the watched sentence after that step: float32."""
    path = await asyncio.to_thread(trainings.runs.path, run_id)
    block = await asyncio.to_thread(pattern_block, path, step, layer, head)
    return block_response(block)
