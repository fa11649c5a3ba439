"""The Write room's record: see vitral.studio.room."""

from dataclasses import dataclass

from vitral.studio.limits import MIB
from vitral.studio.room import Room
from vitral.studio.rooms.write import schemas
from vitral.studio.rooms.write.routes import router
from vitral.studio.rooms.write.sessions import WritingSessions
from vitral.studio.session import Session


@dataclass(frozen=True)
class WriteSettings:
    """How much the room caches of the texts that are being written."""

    max_sessions: int = 16
    """Most texts whose key–value caches are kept."""
    max_bytes: int = 256 * MIB
    """Memory for those caches; the most recent one stays even if it alone needs more."""


def _begin(session: Session, settings: WriteSettings) -> WritingSessions:
    return WritingSessions(settings.max_sessions, settings.max_bytes)


ROOM = Room(
    name="write",
    router=router,
    begin=_begin,
    settings=WriteSettings,
    models=(
        schemas.NextTokenHeader,
        schemas.WrittenToken,
        schemas.StreamEnd,
        schemas.RaceColumn,
        schemas.StreamFailure,
    ),
)
