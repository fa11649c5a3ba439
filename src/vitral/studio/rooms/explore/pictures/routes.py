"""The addresses of pictures: to upload and trace one, and to read what the model saw of it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from vitral.studio.current import CurrentSession
from vitral.studio.rooms.explore.pictures.tracing import received, traced
from vitral.studio.traces import schemas

router = APIRouter(prefix="/api")

PICTURES = "/api/pictures"
"""The address of uploads, whose body is read as a stream (see gate.py)."""


@router.post(
    "/pictures",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        }
    },
)
async def post_picture(
    request: Request,
    session: CurrentSession,
    model: Annotated[str, Query(min_length=1, max_length=500)],
    name: Annotated[str, Query(min_length=1, max_length=255, description="Of the file")],
) -> schemas.Trace:
    """Run a picture through a model that reads pictures: the file's bytes are the body."""
    length = request.headers.get("content-length")
    content = await received(request.stream(), name, length, session.limits.picture_bytes)
    return (await traced(session, model, content, name)).summary


@router.get(
    "/traces/{trace_id}/picture",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}},
)
async def get_picture(trace_id: str, session: CurrentSession) -> Response:
    """The picture that the model saw, resized and cropped, as a PNG."""
    content = session.answers(trace_id).picture()
    return Response(content, media_type="image/png", headers={"Cache-Control": "no-store"})
