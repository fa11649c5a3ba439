"""The dependencies of Studio's routes: the session of the application, and the state of their room.

CurrentScores = Annotated[Scores, Depends(state_of(Scores))]

@router.get("/scores")
async def get_scores(session: CurrentSession, scores: CurrentScores) -> …
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from vitral.studio.open_rooms import OpenRooms
from vitral.studio.room import RoomState
from vitral.studio.session import Session

T = TypeVar("T", bound=RoomState)


async def session_of(request: Request) -> Session:
    """The session of the application that handles the request."""
    session: Session = request.app.state.session
    return session


async def rooms_of(request: Request) -> OpenRooms:
    """The rooms of the application that handles the request."""
    rooms: OpenRooms = request.app.state.rooms
    return rooms


def state_of(kind: type[T]) -> Callable[[Request], Coroutine[Any, Any, T]]:
    """A dependency: the state of a room, by its class."""

    async def state(request: Request) -> T:
        return (await rooms_of(request)).state(kind)

    return state


CurrentSession = Annotated[Session, Depends(session_of)]
CurrentRooms = Annotated[OpenRooms, Depends(rooms_of)]
