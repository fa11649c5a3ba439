"""The addresses of the views of a whole text. Bodies stand in schemas.py."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query

from vitral.errors import VitralError
from vitral.studio.current import CurrentSession
from vitral.studio.gate.language import accepted_language
from vitral.studio.rooms.explore.explaining import schemas
from vitral.studio.rooms.explore.explaining.graph import graph_of
from vitral.studio.rooms.explore.explaining.heads import constancy_of, heads_of, writes_of
from vitral.studio.rooms.explore.explaining.path import path_of
from vitral.studio.rooms.explore.explaining.predictions import predictions_of

router = APIRouter(prefix="/api/traces/{trace_id}")

Place = Annotated[int, Query(ge=0, le=10_000_000)]
Part = Annotated[str | None, Query(max_length=16)]
"""One of the trace's parts; by default its first."""
MaybePlace = Annotated[int | None, Query(ge=0, le=10_000_000)]


@router.get("/heads")
async def get_heads(
    trace_id: str,
    session: CurrentSession,
    part: Part = None,
    accept_language: Annotated[str | None, Header()] = None,
) -> schemas.Heads:
    """Every head's measures and what it does, in the language of Accept-Language."""
    stored = session.store.get(trace_id)
    language = accepted_language(accept_language)
    name = stored.summary.model
    return await session.workshop.run(heads_of, session.catalog, name, stored.trace, part, language)


@router.get("/heads/constancy")
async def get_constancy(
    trace_id: str, session: CurrentSession, part: Part = None
) -> schemas.Constancy:
    """In how many other sentences each head has the role that it has here."""
    stored = session.store.get(trace_id)
    name = stored.summary.model
    return await session.workshop.run(constancy_of, session.catalog, name, stored.trace, part)


@router.get("/heads/writes")
async def get_writes(trace_id: str, session: CurrentSession, part: Part = None) -> schemas.Writes:
    """How much each head writes of what does not rest, beside its layer's others."""
    stored = session.store.get(trace_id)
    name = stored.summary.model
    return await session.workshop.run(writes_of, session.catalog, name, stored.trace, part)


@router.get("/graph")
async def get_graph(
    trace_id: str,
    session: CurrentSession,
    token: Place,
    part: Part = None,
    kind: Literal["attention", "rollout", "flow"] = "rollout",
    layer: MaybePlace = None,
    head: MaybePlace = None,
    source: MaybePlace = None,
    least: Annotated[float, Query(ge=0.001, le=1)] = 0.01,
) -> schemas.Graph:
    """Where a token's vector comes from; `layer` and `head` choose one head, of attention only."""
    stored = session.store.get(trace_id)
    if (layer is None) != (head is None):
        raise VitralError("graph_option", kind=kind, option="layer" if head is None else "head")
    chosen = None if layer is None or head is None else (layer, head)
    return await session.workshop.run(
        graph_of, stored.trace, part, token, kind, chosen, source, least
    )


@router.get("/path")
async def get_path(
    trace_id: str,
    session: CurrentSession,
    token: Place,
    part: Part = None,
    other: Annotated[str | None, Query(max_length=64)] = None,
    other_token: MaybePlace = None,
    directions: bool = False,
    together: bool = False,
) -> schemas.WordPath:
    """How a token's vector moves; `other` is another trace of the same model."""
    stored = session.store.get(trace_id)
    beside = None
    if other is not None:
        second = session.store.get(other)
        if second.summary.model != stored.summary.model:
            models = f"{stored.summary.model}, {second.summary.model}"
            raise VitralError("paths_differ", models=models)
        beside = (second.trace, other_token or 0)
    return await session.workshop.run(
        path_of,
        session.catalog,
        stored.summary.model,
        stored.trace,
        part,
        token,
        beside,
        directions=directions,
        together=together,
    )


@router.get("/predictions")
async def get_predictions(
    trace_id: str,
    session: CurrentSession,
    token: Place,
    blank: bool = False,
    count: Annotated[int, Query(ge=1, le=50)] = 10,
) -> schemas.Predictions:
    """What the model predicts at a token, and each layer would; `blank` masks the token first."""
    stored = session.store.get(trace_id)
    name = stored.summary.model
    return await session.workshop.run(
        predictions_of, session.catalog, name, stored.trace, token, blank=blank, count=count
    )
