"""The caches of the Write room: the key–value caches of the texts that are being written.

A page sends a position as its text and ids. The session that has read most of it continues from
there; if there is none, because another branch was taken or the session was dropped, a new one
reads the text again, with the same result. The least recently used are dropped first.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitral.studio.room import RoomState

if TYPE_CHECKING:
    from vitral.generation.stepping import Stepping


@dataclass(frozen=True)
class Beginning:
    """The key of a session: what all its texts have in common."""

    model: str
    text: str
    windowed: bool


class WritingSessions(RoomState):
    """At most `max_sessions`, and no more bytes than `max_bytes` (the most recent one always
    stays). Safe to use from several threads: only one thread uses a session at a time."""

    def __init__(self, max_sessions: int, max_bytes: int) -> None:
        self.max_sessions, self.max_bytes = max_sessions, max_bytes
        self._idle: list[tuple[Beginning, Stepping]] = []  # the most recent last
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._idle)

    @property
    def num_bytes(self) -> int:
        """Memory of all caches that are kept and not in use."""
        with self._lock:
            return sum(stepping.num_bytes for _, stepping in self._idle)

    @contextmanager
    def borrow(
        self, beginning: Beginning, written: Sequence[int], begin: Callable[[], "Stepping"]
    ) -> Iterator["Stepping"]:
        """The session that has read most of `written`, or the one that `begin` makes. One in
        which something failed is not kept."""
        stepping = self._take(beginning, written) or begin()
        yield stepping
        with self._lock:
            self._idle.append((beginning, stepping))
            while len(self._idle) > 1 and (
                len(self._idle) > self.max_sessions
                or sum(each.num_bytes for _, each in self._idle) > self.max_bytes
            ):
                del self._idle[0]

    def _take(self, beginning: Beginning, written: Sequence[int]) -> "Stepping | None":
        with self._lock:
            known = [
                (stepping.num_known(written), place)
                for place, (other, stepping) in enumerate(self._idle)
                if other == beginning
            ]
            if not known or max(known)[0] < 0:
                return None
            return self._idle.pop(max(known)[1])[1]
