"""The Train room's addresses. Bodies stand in schemas.py, the work in room.py and below it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from vitral.errors import VitralError
from vitral.studio.blocks import MEDIA_TYPE
from vitral.studio.language import accepted_language
from vitral.studio.routes import CurrentSession
from vitral.studio.schemas import ErrorBody
from vitral.studio.training import schemas
from vitral.studio.training.events import listen
from vitral.studio.training.room import TrainingRoom
from vitral.studio.training.watched import pattern_block, pooled_block

UPLOADS = "/api/training/texts"
"""The one address whose body may be larger than others': it is checked while it arrives."""

router = APIRouter(prefix="/api/training", responses={"default": {"model": ErrorBody}})

_NO_STORE = {"Cache-Control": "no-store"}
_BINARY: dict[int | str, dict[str, object]] = {200: {"content": {MEDIA_TYPE: {}}}}
_EVENTS: dict[int | str, dict[str, object]] = {200: {"content": {"text/event-stream": {}}}}


def room_of(request: Request) -> TrainingRoom:
    """The Train room of the application that answers."""
    room: TrainingRoom = request.app.state.training
    return room


Room = Annotated[TrainingRoom, Depends(room_of)]
Step = Annotated[int, Query(ge=0, le=10**9)]
Number = Annotated[int, Query(ge=0, le=10**6)]


@router.get("")
async def get_training(room: Room) -> schemas.Training:
    """The texts there are, the runs, and the limits."""
    return await asyncio.to_thread(room.training)


@router.get("/form")
async def get_form(room: Room) -> list[schemas.Field]:
    """The entries of a recipe, as a form asks for them."""
    return await asyncio.to_thread(room.form)


@router.post("/texts")
async def post_text(
    request: Request,
    room: Room,
    name: Annotated[str, Query(min_length=1, max_length=300)],
) -> schemas.Text:
    """A text, as the body: UTF-8, .txt or .jsonl by its name, checked while it arrives."""
    announced = request.headers.get("content-length", "0")
    chunks = request.stream()
    try:
        return await room.upload(chunks, name, int(announced) if announced.isdecimal() else 0)
    except VitralError:
        await _let_pass(chunks, room.limits.upload_bytes)
        raise


async def _let_pass(chunks: AsyncIterator[bytes], most: int) -> None:
    """Read on without keeping anything: a browser looks at the answer only once it has sent its
    file, and sees none at all where the line is cut before."""
    passed = 0
    async for chunk in chunks:
        passed += len(chunk)
        if passed > most:
            return


@router.delete("/texts/{text_id}", status_code=204)
async def delete_text(text_id: str, room: Room) -> None:
    """Delete an uploaded text."""
    await asyncio.to_thread(room.texts.delete, text_id)


@router.post("/proposal")
async def post_proposal(
    body: schemas.ProposalRequest, session: CurrentSession, room: Room
) -> schemas.Proposal:
    """What the dial would choose on this machine for that text and time. Takes some seconds."""
    room.texts.find(body.text)
    return await session.workshop.run(room.propose, body.text, body.minutes)


@router.post("/runs", status_code=201)
async def post_run(
    body: schemas.RunRequest,
    room: Room,
    accept_language: Annotated[str | None, Header()] = None,
) -> schemas.Run:
    """Begin a training, or put it in the queue where one is under way."""
    return await asyncio.to_thread(room.begin, body, accepted_language(accept_language))


@router.get("/runs/{run_id}")
async def get_run(run_id: str, room: Room) -> schemas.Run:
    """One training as it stands."""
    return await asyncio.to_thread(room.described, run_id)


@router.delete("/runs/{run_id}", status_code=204)
async def delete_run(run_id: str, room: Room) -> None:
    """Delete a training that rests, with its model."""
    await asyncio.to_thread(room.delete, run_id)


@router.post("/runs/{run_id}/pause")
async def post_pause(run_id: str, room: Room) -> schemas.Run:
    """Finish the step, save, and rest."""
    await asyncio.to_thread(room.foreman.pause, run_id)
    return await asyncio.to_thread(room.described, run_id)


@router.post("/runs/{run_id}/resume")
async def post_resume(run_id: str, room: Room) -> schemas.Run:
    """Go on from the last checkpoint, when its turn comes."""
    await asyncio.to_thread(room.foreman.resume, run_id)
    await asyncio.to_thread(room.foreman.tick)
    return await asyncio.to_thread(room.described, run_id)


@router.post("/runs/{run_id}/stop")
async def post_stop(run_id: str, room: Room) -> schemas.Run:
    """End now, with the model as it is."""
    await asyncio.to_thread(room.foreman.stop, run_id)
    await asyncio.to_thread(room.foreman.tick)
    return await asyncio.to_thread(room.described, run_id)


@router.get("/runs/{run_id}/events", response_class=StreamingResponse, responses=_EVENTS)
async def get_events(
    run_id: str,
    room: Room,
    last_event_id: Annotated[str | None, Header(max_length=200)] = None,
) -> StreamingResponse:
    """What happens in a training, as it happens; goes on from Last-Event-ID."""
    path = await asyncio.to_thread(room.runs.path, run_id)
    if room.num_listening >= room.limits.listeners:
        raise VitralError("studio_busy")

    async def events() -> AsyncIterator[str]:
        room.num_listening += 1
        try:
            async for event in listen(path, lambda: room.describe(run_id), last_event_id):
                yield event
        finally:
            room.num_listening -= 1

    headers = {**_NO_STORE, "X-Accel-Buffering": "no"}
    return StreamingResponse(events(), media_type="text/event-stream", headers=headers)


@router.get("/runs/{run_id}/watched/pooled", response_class=Response, responses=_BINARY)
async def get_watched_pooled(run_id: str, room: Room, step: Step) -> Response:
    """A small map of every head on the watched sentence after that step."""
    path = await asyncio.to_thread(room.runs.path, run_id)
    block = await asyncio.to_thread(pooled_block, path, step, room.limits.pooled_side)
    return Response(block, media_type=MEDIA_TYPE, headers=_NO_STORE)


@router.get("/runs/{run_id}/watched/pattern", response_class=Response, responses=_BINARY)
async def get_watched_pattern(
    run_id: str, room: Room, step: Step, layer: Number, head: Number
) -> Response:
    """One head's exact weights on the watched sentence after that step: float32."""
    path = await asyncio.to_thread(room.runs.path, run_id)
    block = await asyncio.to_thread(pattern_block, path, step, layer, head)
    return Response(block, media_type=MEDIA_TYPE, headers=_NO_STORE)
