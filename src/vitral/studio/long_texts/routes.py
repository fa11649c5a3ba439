"""The addresses that a long text adds: all of its tokens, and a head's strongest weights."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from vitral.studio import schemas
from vitral.studio.blocks import MEDIA_TYPE
from vitral.studio.long_texts.schemas import StrongestWeights, Weight
from vitral.studio.long_texts.tokens import tokens_block
from vitral.studio.routes import CurrentSession

router = APIRouter(prefix="/api", responses={"default": {"model": schemas.ErrorBody}})

_NO_STORE = {"Cache-Control": "no-store"}
_BINARY: dict[int | str, dict[str, object]] = {200: {"content": {MEDIA_TYPE: {}}}}


@router.get("/traces/{trace_id}/tokens", response_class=Response, responses=_BINARY)
async def get_tokens(trace_id: str, session: CurrentSession) -> Response:
    """All tokens: int32 [3, tokens], their ids and where each starts and ends in the text."""
    stored = session.store.get(trace_id)
    block = await session.workshop.quick(tokens_block, stored.trace)
    return Response(block, media_type=MEDIA_TYPE, headers=_NO_STORE)


@router.get("/traces/{trace_id}/strongest")
async def get_strongest(
    trace_id: str,
    session: CurrentSession,
    layer: Annotated[int, Query(ge=0)],
    head: Annotated[int, Query(ge=0)],
    count: Annotated[int, Query(ge=1, le=1000)] = 50,
    least_key: Annotated[int, Query(ge=0, le=2**31)] = 0,
    apart: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> StrongestWeights:
    """The greatest weights of a head: `vitral.explain.strongest_weights`."""
    stored = session.store.get(trace_id)

    def find() -> StrongestWeights:
        from vitral.explain import strongest_weights

        found = strongest_weights(
            stored.trace, layer=layer, head=head, count=count, least_key=least_key, apart=apart
        )
        weights = [Weight(query=w.query, key=w.key, weight=w.weight) for w in found]
        return StrongestWeights(layer=layer, head=head, weights=weights)

    return await session.workshop.run(find)
