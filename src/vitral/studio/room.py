"""A room of Studio: its record, and its state while Studio runs.

A room is a folder below `rooms/` and one line in `rooms/registry.py`:

    ROOM = Room(
        name="music",
        router=router,                  # its addresses, below /api/music
        begin=Scores,                   # its state: Scores(session, settings), a RoomState
        settings=MusicSettings,         # folders, limits: a class that can be made without values
        needs=Requirement(("music21",), "pip install 'vitral[music]'"),
    )

Its routes ask for its state with `state_of(Scores)` (see current.py). They use the session, which
every room shares, and no other room. A package that is not a dependency of Vitral is imported on
first use, so that Studio starts without it and can name the command that installs it.
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
    """The state of one room in one running Studio."""

    async def open(self) -> None:
        """Studio starts: start background work."""

    async def close(self) -> None:
        """Studio ends: stop background work."""


@dataclass(frozen=True)
class Requirement:
    """Packages that a room needs in addition to Vitral's own, by their import names, and the one
    command that installs them."""

    modules: tuple[str, ...]
    command: str

    def missing(self) -> list[str]:
        """The packages that are not installed. Imports none of them."""
        return [name for name in self.modules if find_spec(name) is None]


@dataclass(frozen=True)
class Room(Generic[S]):
    """The record of a room. `name` is its name on the page."""

    name: str
    router: APIRouter
    begin: Callable[[Session, S], RoomState] | None = None
    """Creates its state, if it has any; invalid settings raise a VitralError."""
    settings: type[S] | None = None
    """The class of the settings for `begin`: those given to `create_app`, or its defaults."""
    streamed: Collection[str] = ()
    """Addresses whose request body arrives as a stream: their routes count its bytes."""
    statuses: Mapping[str, int] = field(default_factory=dict)
    """HTTP status by error key, if it is not 422."""
    models: Sequence[type[BaseModel]] = ()
    """The models of its streams and block headers: published with the bodies of its routes."""
    needs: Requirement | None = None
