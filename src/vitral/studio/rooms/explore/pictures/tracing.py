"""A picture that has arrived: read whole, run through its model, kept as a trace."""

import hashlib
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

from vitral.errors import VitralError
from vitral.studio.session import Session
from vitral.studio.traces.store import StoredTrace, trace_bytes
from vitral.studio.traces.summary import summary_of

if TYPE_CHECKING:
    from vitral.vision.picture_file import Picture


async def received(
    chunks: AsyncIterator[bytes], name: str, announced: str | None, most_bytes: int
) -> bytes:
    """The file's bytes. Raises VitralError `picture_upload_too_large`, as soon as too much is
    announced or received, and `picture_empty`."""
    too_large = VitralError("picture_upload_too_large", name=name, limit=most_bytes // 2**20)
    if announced is not None and announced.isdecimal() and int(announced) > most_bytes:
        raise too_large
    content = bytearray()
    async for chunk in chunks:
        content += chunk
        if len(content) > most_bytes:
            raise too_large
    if not content:
        raise VitralError("picture_empty", name=name)
    return bytes(content)


async def traced(session: Session, model: str, content: bytes, name: str) -> StoredTrace:
    """The trace of a picture. The picture is decoded before a model is asked for.

    Raises VitralError `model_unknown`, `picture_to_text_model`, `studio_busy`, and what
    `read_picture`, opening the model and `trace_picture` raise.
    """
    session.catalog.check(model)
    key = _key(model, content, name)
    stored = session.store.find(key)
    if stored is not None:
        return stored
    picture = await session.workshop.quick(_read, content, name)
    work = partial(_trace, session, key, model, picture)
    return await session.workshop.run_on(model, key, work)


def _key(model: str, content: bytes, name: str) -> str:
    """The trace's id: the same picture by the same name is run once."""
    digest = hashlib.sha256(b"picture")
    for part in (model.encode(), name.encode(), content):
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:32]


def _read(content: bytes, name: str) -> "Picture":
    from vitral.vision.picture_file import read_picture

    return read_picture(content, name)


def _trace(session: Session, key: str, name: str, picture: "Picture") -> StoredTrace:
    """In a thread."""
    from vitral.vision.picture_trace import trace_picture

    with session.catalog.borrow(name) as model:
        if model.reads != "picture":
            raise VitralError("picture_to_text_model", model=name)
        started = time.perf_counter()
        trace = trace_picture(model.module, model.processor, picture, model=model.name)
        seconds = time.perf_counter() - started
    summary = summary_of(trace, key=key, model=name, seconds=seconds, limits=session.limits)
    stored = StoredTrace(trace, summary, trace_bytes(trace))
    session.store.add(stored)
    return stored
