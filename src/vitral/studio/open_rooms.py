"""The rooms of one running Studio: their state, their addresses, and their missing packages."""

from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from vitral.errors import VitralError
from vitral.studio.room import Room, RoomState
from vitral.studio.schemas import RoomEntry
from vitral.studio.session import Session

T = TypeVar("T", bound=RoomState)


class OpenRooms:
    """A room that lacks a package has no state: each of its addresses answers `room_needs`."""

    def __init__(
        self, rooms: Sequence[Room[Any]], session: Session, settings: Sequence[object]
    ) -> None:
        """`settings` are those settings of rooms that differ from the default.

        Raises ValueError for settings of no room, or two rooms of one name; and what a room's
        `begin` raises.
        """
        names = [room.name for room in rooms]
        if len(set(names)) < len(names):
            raise ValueError(f"two rooms have one name: {', '.join(names)}")
        given = {type(each): each for each in settings}
        unknown = given.keys() - {room.settings for room in rooms}
        if unknown:
            raise ValueError(f"no room takes {', '.join(kind.__name__ for kind in unknown)}")
        self._rooms = tuple(rooms)
        self._missing = {
            room.name: room.needs.missing() for room in rooms if room.needs is not None
        }
        self._states: dict[type[RoomState], RoomState] = {}
        for room in rooms:
            if room.begin is not None and not self._missing.get(room.name):
                chosen = given.get(room.settings) if room.settings is not None else None
                if chosen is None and room.settings is not None:
                    chosen = room.settings()
                state = room.begin(session, chosen)
                assert type(state) not in self._states, "a state belongs to one room"
                self._states[type(state)] = state
        self._opened = AsyncExitStack()

    async def open(self) -> None:
        """Open the rooms, in their order."""
        for state in self._states.values():
            await state.open()
            self._opened.push_async_callback(state.close)

    async def close(self) -> None:
        """Close the rooms that were opened, the last one first."""
        await self._opened.aclose()

    def state(self, kind: type[T]) -> T:
        """The state of that class."""
        found = self._states[kind]
        assert isinstance(found, kind)
        return found

    def entries(self) -> list[RoomEntry]:
        """The description of each room for the page."""
        return [
            RoomEntry(
                name=room.name,
                available=not self._missing.get(room.name),
                install=room.needs.command
                if room.needs is not None and self._missing.get(room.name)
                else None,
            )
            for room in self._rooms
        ]

    @property
    def streamed(self) -> set[str]:
        """Addresses whose body arrives as a stream."""
        return {path for room in self._rooms for path in room.streamed}

    @property
    def models(self) -> list[type[BaseModel]]:
        """The models that the rooms publish in addition to the bodies of their routes."""
        return [model for room in self._rooms for model in room.models]

    @property
    def statuses(self) -> dict[str, int]:
        """HTTP status by error key, of all rooms."""
        return {key: status for room in self._rooms for key, status in room.statuses.items()}

    def add_routes(self, app: FastAPI) -> None:
        """Add the rooms' addresses to `app`. The published schema has those of every room, so that
        it is the same on every machine."""
        for room in self._rooms:
            if room.needs is not None and self._missing[room.name]:
                app.include_router(_refusing(room, self._missing[room.name]))
            app.include_router(room.router)


def _refusing(room: Room[Any], missing: Sequence[str]) -> APIRouter:
    """The room's addresses, each answered with what to install; routes that were added earlier
    have precedence."""
    assert room.needs is not None
    refuse = _refusal(room.name, ", ".join(missing), room.needs.command)
    router = APIRouter(include_in_schema=False)
    for route in room.router.routes:
        assert isinstance(route, APIRoute), "a room's addresses are ordinary routes"
        router.add_api_route(route.path, refuse, methods=list(route.methods or ()))
    return router


def _refusal(name: str, missing: str, command: str) -> Callable[[], Coroutine[Any, Any, None]]:
    async def refuse() -> None:
        raise VitralError("room_needs", room=name, missing=missing, command=command)

    return refuse
