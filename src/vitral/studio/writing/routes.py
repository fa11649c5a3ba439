"""The addresses of the Write room. Bodies and lines stand in schemas.py."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from vitral.studio import schemas as studio_schemas
from vitral.studio.blocks import MEDIA_TYPE
from vitral.studio.routes import CurrentSession
from vitral.studio.session import Session
from vitral.studio.writing import schemas
from vitral.studio.writing.places import look_block, vocabulary_of
from vitral.studio.writing.race import Race
from vitral.studio.writing.stream import Stream, lines

router = APIRouter(
    prefix="/api/writing", responses={"default": {"model": studio_schemas.ErrorBody}}
)

LINES = "application/x-ndjson"
_NO_STORE = {"Cache-Control": "no-store"}
_BINARY: dict[int | str, dict[str, object]] = {200: {"content": {MEDIA_TYPE: {}}}}
_LINES: dict[int | str, dict[str, object]] = {200: {"content": {LINES: {}}}}


@router.get("/vocabulary")
async def get_vocabulary(
    session: CurrentSession, model: Annotated[str, Query(min_length=1, max_length=500)]
) -> schemas.Vocabulary:
    """What every token of a model is called."""
    session.shelf.check(model)
    return await session.workshop.run(vocabulary_of, session, model)


@router.post("/look", response_class=Response, responses=_BINARY)
async def post_look(body: schemas.LookRequest, session: CurrentSession) -> Response:
    """What follows a text, and whom its newest token looks at: float32 [V + T]."""
    _check(session, body)
    block = await session.workshop.run(look_block, session, body)
    return Response(block, media_type=MEDIA_TYPE, headers=_NO_STORE)


@router.post("/stream", response_class=StreamingResponse, responses=_LINES)
async def post_stream(body: schemas.StreamRequest, session: CurrentSession) -> StreamingResponse:
    """Write on, a line of JSON a token; it ends where the client goes away."""
    _check(session, body)
    stream = Stream(session, body)
    first = await session.workshop.run(stream.step)
    return _answer(lines(session, stream.step, first))


@router.post("/race", response_class=StreamingResponse, responses=_LINES)
async def post_race(body: schemas.RaceRequest, session: CurrentSession) -> StreamingResponse:
    """Write on in several ways at once, a line of JSON for each and every token."""
    _check(session, body)
    race = Race(session, body)
    first = await session.workshop.run(race.step)
    return _answer(lines(session, race.step, first))


def _check(session: Session, place: schemas.Place) -> None:
    session.check_text(place.text)
    session.shelf.check(place.model)


def _answer(content: AsyncIterator[bytes]) -> StreamingResponse:
    return StreamingResponse(content, media_type=LINES, headers=_NO_STORE)
