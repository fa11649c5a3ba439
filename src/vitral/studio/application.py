"""Studio as an ASGI application: the gate, the API and the page, put together.

from vitral.studio.application import create_app

app = create_app()  # then: uvicorn.run(app, host="127.0.0.1", port=8321)
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI

import vitral
from vitral.studio.attended import Attended
from vitral.studio.failures import register_failures
from vitral.studio.hosts import LOOPBACK, AllowedHosts
from vitral.studio.limits import Limits
from vitral.studio.page import Page
from vitral.studio.published import publish_errors
from vitral.studio.routes import router
from vitral.studio.security import Gate
from vitral.studio.session import Session
from vitral.studio.shelf import Shelf


def create_app(
    models: Sequence[str] = (),
    token: str | None = None,
    allowed_hosts: AllowedHosts = LOOPBACK,
    limits: Limits | None = None,
    warm: bool = False,
) -> FastAPI:
    """Studio on the bundled models and those of `models` (folders or hub ids).

    No weights are read before the first trace; with `warm`, those of the default model are read
    in the background as soon as Studio runs. With a `token`, every request must bring it;
    without one the application must be served on loopback only.
    Raises VitralError for a model that is not there.
    """
    limits = limits or Limits()
    session = Session(Shelf(models), limits)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(session.warm()) if warm else None
        yield
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
    app.state.session = session
    app.add_middleware(Attended)
    app.add_middleware(Gate, hosts=allowed_hosts, token=token, max_body_bytes=limits.body_bytes)
    register_failures(app)
    publish_errors(app)
    app.include_router(router)
    app.mount("/", Page())
    return app
