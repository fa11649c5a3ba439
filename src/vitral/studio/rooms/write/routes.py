"""The addresses of the Write room. Bodies and lines are in schemas.py."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response, StreamingResponse

from vitral.studio.current import CurrentSession, state_of
from vitral.studio.responses import NO_STORE, block_response, block_with, stream_of
from vitral.studio.rooms.write import schemas
from vitral.studio.rooms.write.places import next_token_block, vocabulary_of
from vitral.studio.rooms.write.race import Race
from vitral.studio.rooms.write.sessions import WritingSessions
from vitral.studio.rooms.write.stream import Stream, lines
from vitral.studio.session import Session

router = APIRouter(prefix="/api/writing")

CurrentSessions = Annotated[WritingSessions, Depends(state_of(WritingSessions))]

LINES = "application/x-ndjson"
_TOKENS = stream_of(LINES, schemas.WrittenToken, schemas.StreamEnd, schemas.StreamFailure)
_COLUMNS = stream_of(LINES, schemas.RaceColumn, schemas.StreamFailure)


@router.get("/vocabulary")
async def get_vocabulary(
    session: CurrentSession, model: Annotated[str, Query(min_length=1, max_length=500)]
) -> schemas.Vocabulary:
    """The names of all tokens of a model."""
    session.catalog.check(model)
    return await session.workshop.run(vocabulary_of, session, model)


@router.post("/next-token", response_class=Response, responses=block_with(schemas.NextTokenHeader))
async def post_next_token(
    body: schemas.NextTokenRequest, session: CurrentSession, sessions: CurrentSessions
) -> Response:
    """What follows a text, and where its most recent token attends: float32 [V + S + T]."""
    _check(session, body)
    return block_response(await session.workshop.run(next_token_block, session, sessions, body))


@router.post("/stream", response_class=StreamingResponse, responses=_TOKENS)
async def post_stream(
    body: schemas.StreamRequest, session: CurrentSession, sessions: CurrentSessions
) -> StreamingResponse:
    """Continue a text, one line of JSON per token; ends when the client disconnects."""
    _check(session, body)
    stream = Stream(session, sessions, body)
    first = await session.workshop.run(stream.step)
    return _answer(lines(session, stream.step, first))


@router.post("/race", response_class=StreamingResponse, responses=_COLUMNS)
async def post_race(body: schemas.RaceRequest, session: CurrentSession) -> StreamingResponse:
    """Continue a text with several strategies, one line of JSON per token of each."""
    _check(session, body)
    race = Race(session, body)
    first = await session.workshop.run(race.step)
    return _answer(lines(session, race.step, first))


def _check(session: Session, place: schemas.WritingPlace) -> None:
    session.check_text(place.text)
    session.catalog.check(place.model)


def _answer(content: AsyncIterator[bytes]) -> StreamingResponse:
    return StreamingResponse(content, media_type=LINES, headers=NO_STORE)
