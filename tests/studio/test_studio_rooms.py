"""A room arrives as one record; one that lacks a package says which command brings it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, Request
from starlette.testclient import TestClient

from vitral.errors import VitralError
from vitral.studio.application import create_app
from vitral.studio.current import CurrentSession, state_of
from vitral.studio.room import Requirement, Room, RoomState
from vitral.studio.rooms.registry import ROOMS
from vitral.studio.session import Session

ADDRESS = "http://127.0.0.1:8321"
COMMAND = "pip install 'vitral[bells]'"


@dataclass(frozen=True)
class ClockSettings:
    """The settings of a room that works."""

    name: str = "tower"
    most_bytes: int = 8


class Clock(RoomState):
    """Its state: what it is called, and what has happened to it."""

    def __init__(self, session: Session, settings: ClockSettings) -> None:
        if not settings.name:
            raise VitralError("text_empty")
        self.session, self.settings = session, settings
        self.seen: list[str] = []

    async def open(self) -> None:
        self.seen.append("open")

    async def close(self) -> None:
        self.seen.append("closed")


CurrentClock = Annotated[Clock, Depends(state_of(Clock))]
clocks = APIRouter(prefix="/api/clock")


@clocks.get("")
async def get_clock(clock: CurrentClock, session: CurrentSession) -> dict[str, Any]:
    """What the clock knows."""
    assert clock.session is session
    return {"name": clock.settings.name, "seen": clock.seen, "models": session.catalog.names}


@clocks.get("/hour/{hour}")
async def get_hour(hour: int) -> int:
    """An hour there is."""
    if hour > 23:
        raise VitralError("not_found", path=str(hour))
    if hour < 0:
        raise VitralError("text_too_long", length=hour, context=23, model="clock")
    return hour


@clocks.post("/chimes")
async def post_chimes(request: Request) -> int:
    """A body as it arrives."""
    return len(await request.body())


CLOCK = Room(
    name="clock",
    router=clocks,
    begin=Clock,
    settings=ClockSettings,
    streamed={"/api/clock/chimes"},
    statuses={"text_too_long": 418},
)

bells = APIRouter(prefix="/api/bells")


@bells.post("/ring/{number}")
async def post_ring(number: int, body: ClockSettings) -> int:
    """Never answered: the package that it needs does not exist."""
    raise AssertionError


def begin_bells(session: Session, settings: None) -> RoomState:
    raise AssertionError("a room without its package is not begun")


BELLS: Room[None] = Room(
    name="bells",
    router=bells,
    begin=begin_bells,
    needs=Requirement(("vitral_package_that_does_not_exist",), COMMAND),
)


@pytest.fixture
def rooms(bert_folder: Path) -> TestClient:
    app = create_app([str(bert_folder)], rooms=[CLOCK, BELLS])
    return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False)


def test_a_room_is_one_record(rooms: TestClient) -> None:
    with rooms:
        found = rooms.get("/api/clock").json()
        assert (found["name"], found["seen"]) == ("tower", ["open"])
        assert "small-bert" in found["models"]
        assert rooms.get("/api/clock/hour/9").json() == 9
        clock = rooms.app.state.rooms.state(Clock)  # type: ignore[attr-defined]
    assert clock.seen == ["open", "closed"]


def test_its_settings_are_its_own(bert_folder: Path) -> None:
    settings = [ClockSettings(name="church")]
    app = create_app([str(bert_folder)], rooms=[CLOCK], settings=settings)
    with TestClient(app, base_url=ADDRESS) as client:
        assert client.get("/api/clock").json()["name"] == "church"
    with pytest.raises(VitralError):
        create_app([str(bert_folder)], rooms=[CLOCK], settings=[ClockSettings(name="")])
    with pytest.raises(ValueError, match="no room takes ClockSettings"):
        create_app([str(bert_folder)], settings=settings)
    with pytest.raises(ValueError, match="two rooms"):
        create_app([str(bert_folder)], rooms=[CLOCK, CLOCK])


def test_its_streamed_addresses_take_larger_bodies(rooms: TestClient) -> None:
    most = 4 * 2**20
    with rooms:
        assert rooms.post("/api/clock/chimes", content=b"a" * (most + 1)).json() == most + 1
        other = rooms.post("/api/clock", content=b"a" * (most + 1))
    assert (other.status_code, other.json()["error"]["code"]) == (413, "body_too_large")


def test_its_errors_have_its_statuses(rooms: TestClient) -> None:
    with rooms:
        assert rooms.get("/api/clock/hour/24").status_code == 404
        assert rooms.get("/api/clock/hour/-1").status_code == 418
        assert rooms.get("/api/clock/hour/noon").status_code == 422


def test_studio_lists_its_rooms_and_what_they_lack(rooms: TestClient) -> None:
    with rooms:
        listed = rooms.get("/api/studio").json()["rooms"]
    assert listed == [
        {"name": "clock", "available": True, "install": None},
        {"name": "bells", "available": False, "install": COMMAND},
    ]


@pytest.mark.parametrize("content", [b'{"name": "a"}', b"no JSON", b""])
@pytest.mark.parametrize("number", ["1", "one"])
def test_a_room_without_its_package_says_the_command(
    rooms: TestClient, content: bytes, number: str
) -> None:
    """Whatever is asked of it, however wrongly: nothing else would help."""
    headers = {"Content-Type": "application/json", "Accept-Language": "es"}
    with rooms:
        answer = rooms.post(f"/api/bells/ring/{number}", content=content, headers=headers)
    assert answer.status_code == 503
    error = answer.json()["error"]
    assert error["code"] == "room_needs"
    assert error["values"] == {
        "room": "bells",
        "missing": "vitral_package_that_does_not_exist",
        "command": COMMAND,
    }
    assert COMMAND in error["message"]
    assert error["message"].startswith("Esta sala necesita")


def test_every_rooms_addresses_are_published_once(rooms: TestClient) -> None:
    with rooms:
        paths = rooms.get("/api/openapi.json").json()["paths"]
    assert set(paths) == {
        "/api/studio",
        "/api/queue/{ticket}",
        "/api/clock",
        "/api/clock/hour/{hour}",
        "/api/clock/chimes",
        "/api/bells/ring/{number}",
    }


def test_without_rooms_studio_still_answers() -> None:
    with TestClient(create_app(rooms=[]), base_url=ADDRESS) as client:
        assert client.get("/api/studio").json()["rooms"] == []
        assert client.get("/api/traces/a").json()["error"]["code"] == "not_found"


def test_the_registered_rooms_are_open_here() -> None:
    with TestClient(create_app(), base_url=ADDRESS) as client:
        listed = client.get("/api/studio").json()["rooms"]
    assert [room["name"] for room in listed] == [room.name for room in ROOMS]
    assert all(room["available"] for room in listed)
