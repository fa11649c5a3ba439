"""The HTTP API: what the page may ask. Bodies stand in schemas.py, the work in session.py."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from vitral.errors import VitralError
from vitral.studio import schemas
from vitral.studio.blocks import MEDIA_TYPE
from vitral.studio.language import accepted_language
from vitral.studio.session import Session
from vitral.studio.views import ViewRequest

router = APIRouter(prefix="/api", responses={"default": {"model": schemas.ErrorBody}})

_NO_STORE = {"Cache-Control": "no-store"}
_BINARY: dict[int | str, dict[str, object]] = {200: {"content": {MEDIA_TYPE: {}}}}


async def session_of(request: Request) -> Session:
    """The session of the application that answers."""
    session: Session = request.app.state.session
    return session


CurrentSession = Annotated[Session, Depends(session_of)]
PartName = Annotated[str | None, Query(max_length=80, description="A part's name; the first")]


@router.get("/studio")
async def get_studio(
    session: CurrentSession,
    accept_language: Annotated[str | None, Header()] = None,
) -> schemas.Studio:
    """Version, limits and the models there are. Loads nothing."""
    return session.studio(accepted_language(accept_language))


@router.post("/traces")
async def post_trace(body: schemas.TraceRequest, session: CurrentSession) -> schemas.Trace:
    """Run a text through a model, or answer from memory where that was done before."""
    return (await session.trace(body.model, body.text, body.answer)).summary


@router.get("/traces/{trace_id}")
async def get_trace(trace_id: str, session: CurrentSession) -> schemas.Trace:
    """What a trace holds that Studio keeps: one made before, or read from a file."""
    return session.store.get(trace_id).summary


@router.get("/queue/{ticket}")
async def get_place(ticket: str, session: CurrentSession) -> schemas.Place:
    """The place in the queue of the request that carries this `Vitral-Ticket`."""
    return schemas.Place(before=session.workshop.num_before(ticket))


@router.get("/traces/{trace_id}/pooled", response_class=Response, responses=_BINARY)
async def get_pooled(trace_id: str, session: CurrentSession, part: PartName = None) -> Response:
    """A small map of every head: uint8 [layers, heads, s, s'], with the scale of each head."""
    block = await session.pooled(trace_id, part)
    return Response(block, media_type=MEDIA_TYPE, headers=_NO_STORE)


@router.get("/traces/{trace_id}/view", response_class=Response, responses=_BINARY)
async def get_view(
    trace_id: str,
    session: CurrentSession,
    address: Annotated[str, Query(max_length=200)],
    head: Annotated[int | None, Query(ge=0)] = None,
    rows: Annotated[str | None, Query(description="a:b, b not included")] = None,
    columns: Annotated[str | None, Query(description="a:b, b not included")] = None,
    height: Annotated[int | None, Query(ge=1)] = None,
    width: Annotated[int | None, Query(ge=1)] = None,
    reduction: Literal["mean", "max"] = "mean",
) -> Response:
    """A part of one value: float32 [height, width], exact where it fits, else reduced."""
    view = ViewRequest(address, head, rows, columns, height, width, reduction)
    return Response(await session.view(trace_id, view), media_type=MEDIA_TYPE, headers=_NO_STORE)


@router.get("/traces/{trace_id}/arithmetic")
async def get_arithmetic(
    trace_id: str,
    session: CurrentSession,
    layer: Annotated[int, Query(ge=0)],
    head: Annotated[int, Query(ge=0)],
    query: Annotated[int, Query(ge=0)],
    key: Annotated[int, Query(ge=0)],
    part: PartName = None,
) -> schemas.Arithmetic:
    """How one attention weight came about, number by number."""
    return await session.arithmetic(trace_id, layer, head, query, key, part)


@router.get("/traces/{trace_id}/query-key", response_class=Response, responses=_BINARY)
async def get_query_key(
    trace_id: str,
    session: CurrentSession,
    layer: Annotated[int, Query(ge=0)],
    head: Annotated[int, Query(ge=0)],
    query: Annotated[int, Query(ge=0)],
    keys: Annotated[str, Query(description="positions, with commas", max_length=1000)],
    part: PartName = None,
) -> Response:
    """One query's vector (the first row) and those of some keys: float32 [1 + keys, width]."""
    block = await session.query_key(trace_id, layer, head, query, keys, part)
    return Response(block, media_type=MEDIA_TYPE, headers=_NO_STORE)


@router.get("/traces/{trace_id}/file", response_class=FileResponse)
async def get_file(trace_id: str, session: CurrentSession) -> FileResponse:
    """The trace as a file that `vitral.open_trace` reads."""
    path, file_name = await session.file(trace_id)
    return FileResponse(
        path,
        media_type=MEDIA_TYPE,
        filename=file_name,
        headers=_NO_STORE,
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


@router.get("/{path:path}", include_in_schema=False)
async def get_unknown(path: str) -> None:
    """Everything else below /api: it is not a page."""
    raise VitralError("not_found", path=f"/api/{path}")
