"""Answers other than JSON, binary blocks and streams, and how the published schema describes them.

Their room lists their models (`Room.models`), so they are published; a route refers to them.
`x-header` and OpenAPI 3.2's `itemSchema` are for people and for tools that support them.
"""

from pydantic import BaseModel
from starlette.responses import Response

from vitral.studio.traces.blocks import MEDIA_TYPE

NO_STORE = {"Cache-Control": "no-store"}

Responses = dict[int | str, dict[str, object]]
"""The type of a route's `responses`."""


def block_with(header: type[BaseModel]) -> Responses:
    """A block whose header holds those entries in addition to a `BlockHeader`'s."""
    return {200: {"content": {MEDIA_TYPE: {"x-header": _published(header)}}}}


def stream_of(media_type: str, *items: type[BaseModel]) -> Responses:
    """A stream of such items: lines, or the data of events."""
    schema = {"anyOf": [_published(item) for item in items]}
    return {200: {"content": {media_type: {"itemSchema": schema}}}}


def block_response(block: bytes) -> Response:
    """The answer with `block`; browsers do not cache it."""
    return Response(block, media_type=MEDIA_TYPE, headers=NO_STORE)


def _published(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
