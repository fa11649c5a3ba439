"""Studio as an ASGI application: the gate, the rooms and the page, put together.

from vitral.studio.application import create_app

app = create_app()  # then: uvicorn.run(app, host="127.0.0.1", port=8321)
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

import vitral
from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.studio.gate.cancel_on_disconnect import CancelOnDisconnect
from vitral.studio.gate.failures import register_failures
from vitral.studio.gate.gate import Gate
from vitral.studio.gate.hosts import LOOPBACK, AllowedHosts
from vitral.studio.limits import Limits
from vitral.studio.open_rooms import OpenRooms
from vitral.studio.page import Page
from vitral.studio.published_schema import complete_schema
from vitral.studio.room import Room
from vitral.studio.rooms.registry import ROOMS
from vitral.studio.routes import router, unknown
from vitral.studio.session import Session


def create_app(
    models: Sequence[str] = (),
    token: str | None = None,
    allowed_hosts: AllowedHosts = LOOPBACK,
    limits: Limits | None = None,
    warm: bool = False,
    settings: Sequence[object] = (),
    rooms: Sequence[Room[Any]] = ROOMS,
) -> FastAPI:
    """Studio on the bundled models and those of `models` (folders or hub ids).

    No weights are read before the first trace; with `warm`, those of the default model are read
    in the background as soon as Studio runs. With a `token`, every request must bring it;
    without one the application must be served on loopback only. `limits` bound what the rooms
    share; `settings` are those of single rooms that differ from the default, such as
    `TrainSettings(runs=…)`.
    Raises VitralError for a missing model, and what the rooms raise for their settings.
    """
    limits = limits or Limits()
    session = Session(ModelCatalog(models), limits)
    opened = OpenRooms(rooms, session, settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(session.warm()) if warm else None
        await opened.open()
        yield
        await opened.close()
        if warming is not None:
            warming.cancel()
        session.close()

    app = FastAPI(
        title="Vitral Studio",
        version=vitral.__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.session, app.state.rooms = session, opened
    app.add_middleware(CancelOnDisconnect)
    app.add_middleware(
        Gate,
        hosts=allowed_hosts,
        token=token,
        max_body_bytes=limits.body_bytes,
        streamed=opened.streamed,
    )
    register_failures(app, opened.statuses)
    complete_schema(app, opened.models)
    app.include_router(router)
    opened.add_routes(app)
    app.include_router(unknown)
    app.mount("/", GZipMiddleware(Page(), compresslevel=6))
    return app
