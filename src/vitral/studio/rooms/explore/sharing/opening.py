"""An uploaded trace among those that Studio shows."""

from pathlib import Path

from vitral.errors import VitralError
from vitral.studio.limits import Limits
from vitral.studio.rooms.explore.sharing.upload import Upload, read
from vitral.studio.session import Session
from vitral.studio.traces.store import StoredTrace, trace_bytes
from vitral.studio.traces.summary import summary_of


async def opened(session: Session, upload: Upload) -> StoredTrace:
    """The trace of an uploaded file, read, checked and stored.

    Raises VitralError: studio_busy, and what `read` and `summary_of` raise.
    """
    kept = session.store.find(upload.key)
    if kept is not None and kept.summary.opened == upload.name:
        return kept
    path = Path(upload.file.name)
    stored = await session.workshop.run(_stored, path, upload.name, upload.key, session.limits)
    session.store.add(stored)
    return stored


def _stored(path: Path, name: str, key: str, limits: Limits) -> StoredTrace:
    trace = read(path, name)
    try:
        summary = summary_of(
            trace, key=key, model=trace.model, seconds=0, limits=limits, opened=name
        )
    except ValueError as error:  # tokens, names or lines of a wrong type
        raise VitralError("trace_damaged", path=name, reason=type(error).__name__) from error
    return StoredTrace(trace, summary, trace_bytes(trace))
