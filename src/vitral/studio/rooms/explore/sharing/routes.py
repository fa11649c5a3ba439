"""The addresses of sharing: a trace as a page of its own, and a trace's file opened."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from vitral.studio.current import CurrentSession
from vitral.studio.gate.language import accepted_language
from vitral.studio.rooms.explore.sharing.opening import opened
from vitral.studio.rooms.explore.sharing.page import PageRequest, page_bytes, page_name
from vitral.studio.rooms.explore.sharing.upload import receiving
from vitral.studio.traces import schemas
from vitral.studio.traces.questions import PartName

router = APIRouter(prefix="/api")

UPLOAD = "/api/trace-files"
"""The address of uploads, whose body is read as a stream (see gate.py)."""


@router.post(
    "/trace-files",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        }
    },
)
async def post_trace_file(
    request: Request,
    session: CurrentSession,
    name: Annotated[str, Query(min_length=1, max_length=255, description="Of the file")],
) -> schemas.Trace:
    """Open a file that `Trace.save` wrote: its bytes are the body, checked while it arrives."""
    with receiving(name, session.limits.trace_file_bytes) as upload:
        upload.announce(request.headers.get("content-length"))
        await upload.take(request.stream())
        return (await opened(session, upload)).summary


@router.get(
    "/traces/{trace_id}/page",
    response_class=Response,
    responses={200: {"content": {"text/html": {}}}},
)
async def get_page(
    trace_id: str,
    session: CurrentSession,
    part: PartName = None,
    layer: Annotated[int | None, Query(ge=0, le=10**6)] = None,
    head: Annotated[int | None, Query(ge=0, le=10**6)] = None,
    heads: Annotated[str | None, Query(pattern=r"^\d{1,4}(\.\d{1,4})*$")] = None,
    overlay: bool = False,
    token: Annotated[int | None, Query(ge=0, le=10**9)] = None,
    view: Literal["lines", "map", "numbers"] | None = None,
    lang: Literal["en", "es"] | None = None,
    theme: Literal["light", "dark"] | None = None,
    accept_language: Annotated[str | None, Header()] = None,
) -> Response:
    """One part of the trace as an HTML file that needs no Studio and no network."""
    stored = session.store.get(trace_id)
    language = lang or accepted_language(accept_language)
    several = None if heads is None else [int(each) for each in heads.split(".")]
    asked = PageRequest(part, layer, head, several, overlay, token, view, language, theme)
    most = session.limits.page_megabytes
    content = await session.workshop.run(page_bytes, stored.trace, asked, most)
    return Response(
        content,
        media_type="text/html; charset=utf-8",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{page_name(stored.summary)}"',
        },
    )
