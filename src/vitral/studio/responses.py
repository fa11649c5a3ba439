"""Answers that are no JSON, binary blocks and streams, and how the published schema describes them.

Their models are published because their room lists them (`Room.models`); a route points there.
`x-header` and OpenAPI 3.2's `itemSchema` are read by people and by tools that know them.
"""

from pydantic import BaseModel
from starlette.responses import Response

from vitral.studio.traces.blocks import MEDIA_TYPE

NO_STORE = {"Cache-Control": "no-store"}

Responses = dict[int | str, dict[str, object]]
"""What a route's `responses` takes."""


def block_with(header: type[BaseModel]) -> Responses:
    """A block whose header holds those entries beside a `BlockHeader`'s."""
    return {200: {"content": {MEDIA_TYPE: {"x-header": _published(header)}}}}


def stream_of(media_type: str, *items: type[BaseModel]) -> Responses:
    """A stream of such items: lines, or the data of events."""
    schema = {"anyOf": [_published(item) for item in items]}
    return {200: {"content": {media_type: {"itemSchema": schema}}}}


def block_response(block: bytes) -> Response:
    """The answer that carries `block`; no browser keeps it."""
    return Response(block, media_type=MEDIA_TYPE, headers=NO_STORE)


def _published(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
