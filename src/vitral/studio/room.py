"""What a room is to Studio: a record, and what it knows while Studio runs.

A room is a folder below `rooms/` and one line in `rooms/registry.py`:

    ROOM = Room(
        name="music",
        router=router,                  # its addresses, below /api/music
        begin=Scores,                   # its state: Scores(session, settings), a RoomState
        settings=MusicSettings,         # folders, limits: a class that can be made without values
        needs=Requirement(("music21",), "pip install 'vitral[music]'"),
    )

Its routes ask for its state with `state_of(Scores)` (see current.py). They use the session, which
every room shares, and no other room. A package that Vitral does not bring along is imported where
it is first used, so that Studio starts without it, and can say what to install.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Generic, TypeVar

from fastapi import APIRouter
from pydantic import BaseModel

from vitral.studio.session import Session

S = TypeVar("S")


class RoomState:
    """What one room knows and does in one running Studio."""

    async def open(self) -> None:
        """Studio starts: begin what runs in the background."""

    async def close(self) -> None:
        """Studio ends: stop it."""


@dataclass(frozen=True)
class Requirement:
    """Packages that a room needs beside Vitral's own, by their import names, and the one command
    that installs them."""

    modules: tuple[str, ...]
    command: str

    def missing(self) -> list[str]:
        """The packages that are not installed. Imports none of them."""
        return [name for name in self.modules if find_spec(name) is None]


@dataclass(frozen=True)
class Room(Generic[S]):
    """All that Studio knows of a room. `name` is what the page calls it."""

    name: str
    router: APIRouter
    begin: Callable[[Session, S], RoomState] | None = None
    """Makes its state, where it has any; a mistake in its settings raises a VitralError."""
    settings: type[S] | None = None
    """What `begin` takes; its values are `create_app`'s, else the class's own."""
    streamed: Collection[str] = ()
    """Addresses whose request body arrives as a stream: their routes count its bytes."""
    questions: Collection[str] = ()
    """Addresses that take a body and change nothing that others see: a class key may ask them."""
    statuses: Mapping[str, int] = field(default_factory=dict)
    """HTTP status by error key, where it is not 422."""
    models: Sequence[type[BaseModel]] = ()
    """What travels in streams and block headers: published beside the bodies of its routes."""
    needs: Requirement | None = None
