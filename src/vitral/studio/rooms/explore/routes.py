"""A trace's addresses: a text is run through a model, and questions are asked about its trace.

The questions are in traces/questions.py, their answers in traces/answers.py.
"""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from vitral.studio.current import CurrentSession
from vitral.studio.responses import NO_STORE, block_response, block_with
from vitral.studio.traces import questions, schemas
from vitral.studio.traces.blocks import MEDIA_TYPE
from vitral.studio.traces.query_key import QueryKeyHeader
from vitral.studio.traces.strongest import StrongestWeights
from vitral.studio.traces.token_list import TokensHeader
from vitral.studio.traces.views import PooledHeader, ViewHeader

router = APIRouter(prefix="/api/traces")


@router.post("")
async def post_trace(body: schemas.TraceRequest, session: CurrentSession) -> schemas.Trace:
    """Run a text through a model, or return the stored trace of an earlier run."""
    return (await session.trace(body.model, body.text, body.answer)).summary


@router.get("/{trace_id}")
async def get_trace(trace_id: str, session: CurrentSession) -> schemas.Trace:
    """The description of a stored trace: of an earlier run, or read from a file.

    "<id>~no-rest~words" reads it in another way; that id then answers every question below."""
    return (await session.read(trace_id)).summary


@router.get("/{trace_id}/tokens", response_class=Response, responses=block_with(TokensHeader))
async def get_tokens(trace_id: str, session: CurrentSession) -> Response:
    """All tokens: int32 [3, tokens], their ids and where each starts and ends in the text."""
    answers = session.answers(trace_id)
    return block_response(await session.workshop.quick(answers.tokens))


@router.get("/{trace_id}/pooled", response_class=Response, responses=block_with(PooledHeader))
async def get_pooled(
    trace_id: str, session: CurrentSession, asked: Annotated[questions.PooledQuestion, Query()]
) -> Response:
    """A small map of every head: uint8 [layers, heads, s, s'], with the scale of each head."""
    answers = session.answers(trace_id)
    return block_response(await session.workshop.quick(answers.pooled, asked))


@router.get("/{trace_id}/view", response_class=Response, responses=block_with(ViewHeader))
async def get_view(
    trace_id: str, session: CurrentSession, asked: Annotated[questions.ViewQuestion, Query()]
) -> Response:
    """A part of one value: float32 [height, width], exact if it fits, otherwise reduced."""
    answers = session.answers(trace_id)
    return block_response(await session.workshop.quick(answers.view, asked))


@router.get("/{trace_id}/arithmetic")
async def get_arithmetic(
    trace_id: str, session: CurrentSession, asked: Annotated[questions.ArithmeticQuestion, Query()]
) -> schemas.Arithmetic:
    """How one attention weight is computed, number by number."""
    answers = session.answers(trace_id)
    return await session.workshop.quick(answers.arithmetic, asked)


@router.get("/{trace_id}/query-key", response_class=Response, responses=block_with(QueryKeyHeader))
async def get_query_key(
    trace_id: str, session: CurrentSession, asked: Annotated[questions.QueryKeyQuestion, Query()]
) -> Response:
    """One query's vector (the first row) and those of some keys: float32 [1 + keys, width]."""
    answers = session.answers(trace_id)
    return block_response(await session.workshop.quick(answers.query_key, asked))


@router.get("/{trace_id}/strongest")
async def get_strongest(
    trace_id: str, session: CurrentSession, asked: Annotated[questions.StrongestQuestion, Query()]
) -> StrongestWeights:
    """The largest weights of a head: `vitral.explain.strongest_weights`."""
    answers = session.answers(trace_id)
    return await session.workshop.run(answers.strongest, asked)


@router.get("/{trace_id}/file", response_class=FileResponse)
async def get_file(trace_id: str, session: CurrentSession) -> FileResponse:
    """The trace as a file that `vitral.open_trace` reads."""
    path, file_name = await session.file(trace_id)
    return FileResponse(
        path,
        media_type=MEDIA_TYPE,
        filename=file_name,
        headers=NO_STORE,
        background=BackgroundTask(path.unlink, missing_ok=True),
    )
