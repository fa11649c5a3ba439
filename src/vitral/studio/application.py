"""Studio as an ASGI application: the gate, the API and the page, put together.

from vitral.studio.application import create_app

app = create_app()  # then: uvicorn.run(app, host="127.0.0.1", port=8321)
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

import vitral
from vitral.studio.attended import Attended
from vitral.studio.explaining.routes import router as explaining
from vitral.studio.failures import register_failures
from vitral.studio.hosts import LOOPBACK, AllowedHosts
from vitral.studio.limits import Limits
from vitral.studio.long_texts.routes import router as long_texts
from vitral.studio.page import Page
from vitral.studio.pictures.routes import PICTURES
from vitral.studio.pictures.routes import router as pictures
from vitral.studio.published import publish_errors
from vitral.studio.routes import router
from vitral.studio.security import Gate
from vitral.studio.session import Session
from vitral.studio.sharing.routes import UPLOAD
from vitral.studio.sharing.routes import router as sharing
from vitral.studio.shelf import Shelf
from vitral.studio.touching.routes import router as touching
from vitral.studio.training.room import TrainingRoom
from vitral.studio.training.routes import UPLOADS
from vitral.studio.training.routes import router as training_routes
from vitral.studio.writing.routes import router as writing


def create_app(
    models: Sequence[str] = (),
    token: str | None = None,
    allowed_hosts: AllowedHosts = LOOPBACK,
    limits: Limits | None = None,
    warm: bool = False,
    runs: Path = Path("runs"),
    texts: Sequence[str | Path] = (),
) -> FastAPI:
    """Studio on the bundled models and those of `models` (folders or hub ids).

    No weights are read before the first trace; with `warm`, those of the default model are read
    in the background as soon as Studio runs. With a `token`, every request must bring it;
    without one the application must be served on loopback only. Trainings live in the folder
    `runs`, and may read `texts` (files and folders) beside those that are offered or uploaded.
    Raises VitralError for a model or a text that is not there.
    """
    limits = limits or Limits()
    session = Session(Shelf(models), limits)
    training = TrainingRoom(runs, texts, session.shelf, session.store, limits)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(session.warm()) if warm else None
        await training.open()
        yield
        await training.close()
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
    app.state.training = training
    app.add_middleware(
        Gate,
        hosts=allowed_hosts,
        token=token,
        max_body_bytes=limits.body_bytes,
        streamed={UPLOAD, UPLOADS, PICTURES},
    )
    register_failures(app)
    publish_errors(app)
    for part in (
        sharing,
        pictures,
        explaining,
        touching,
        writing,
        training_routes,
        long_texts,
        router,
    ):
        app.include_router(part)
    app.mount("/", GZipMiddleware(Page(), compresslevel=6))
    return app
