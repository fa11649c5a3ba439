"""A binary block as an HTTP answer, and how the published schema describes it."""

from starlette.responses import Response

from vitral.studio.traces.blocks import MEDIA_TYPE

NO_STORE = {"Cache-Control": "no-store"}
BLOCK: dict[int | str, dict[str, object]] = {200: {"content": {MEDIA_TYPE: {}}}}
"""A route's `responses`."""


def block_response(block: bytes) -> Response:
    """The answer that carries `block`; no browser keeps it."""
    return Response(block, media_type=MEDIA_TYPE, headers=NO_STORE)
