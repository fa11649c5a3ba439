"""The addresses outside of rooms: the overview, and the queue."""

from typing import Annotated

from fastapi import APIRouter, Header

import vitral
from vitral.errors import VitralError
from vitral.studio import schemas
from vitral.studio.current import CurrentRooms, CurrentSession
from vitral.studio.gate.language import accepted_language

DEFAULT_TEXT = "El perro que persiguió al gato cruzó la calle."

router = APIRouter(prefix="/api")
unknown = APIRouter(prefix="/api")
"""Added after all others."""


@router.get("/studio")
async def get_studio(
    session: CurrentSession,
    rooms: CurrentRooms,
    accept_language: Annotated[str | None, Header()] = None,
) -> schemas.Studio:
    """Version, limits, rooms and models. Loads nothing."""
    return schemas.Studio(
        version=vitral.__version__,
        default_model=session.catalog.default,
        default_text=DEFAULT_TEXT,
        max_text_bytes=session.limits.text_bytes,
        max_tokens=session.limits.tokens,
        max_trace_file_bytes=session.limits.trace_file_bytes,
        max_picture_bytes=session.limits.picture_bytes,
        models=session.catalog.descriptions(accepted_language(accept_language)),
        rooms=rooms.entries(),
    )


@router.get("/queue/{ticket}")
async def get_queue_place(ticket: str, session: CurrentSession) -> schemas.QueuePlace:
    """The place in the queue of the request that carries this `Vitral-Ticket`."""
    return schemas.QueuePlace(before=session.workshop.num_before(ticket))


@unknown.get("/{path:path}", include_in_schema=False)
async def get_unknown(path: str) -> None:
    """All other addresses below /api: they are not pages."""
    raise VitralError("not_found", path=f"/api/{path}")
