"""Imports point one way: a room may use those below it, never those above."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "vitral"

FLOORS = [
    {"messages"},
    {"errors"},
    {"stopping"},
    {"nn"},
    {"text"},
    {"data"},
    {"figures"},
    {"models"},
    {"tracing"},
    {"explain", "generation", "training", "showing"},
    {"model"},
    {"studio"},
    {"notebook"},
    {"cli"},
    {"__init__", "__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_rooms(source: str, room: str) -> set[str]:
    """The rooms of vitral that a module imports, wherever in it the import stands."""
    rooms = set()
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{room}: imports are written out in full"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            top, *rest = name.split(".")
            if top == "vitral":
                rooms.add(rest[0] if rest and rest[0] in FLOOR else "__init__")
    return rooms


def arrows_back(source: str, room: str) -> set[str]:
    allowed = {other for other in FLOOR if FLOOR[other] < FLOOR[room]} | {room}
    # The package's own module holds the version and imports nothing when it is imported.
    if FLOOR[room] >= FLOOR["model"]:
        allowed.add("__init__")
    return imported_rooms(source, room) - allowed


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE))
)
def test_no_arrow_points_back(path: Path) -> None:
    room = room_of(path)
    assert room in FLOOR, f"{room} has no floor in {__name__}"
    assert not arrows_back(path.read_text(encoding="utf-8"), room)


@pytest.mark.parametrize(
    "line",
    [
        "from vitral.tracing import Trace",
        "import vitral.tracing.trace",
        "from vitral import tracing",
        "import vitral",
        "def f():\n    from vitral.cli import main",
    ],
)
def test_an_arrow_back_is_seen(line: str) -> None:
    assert arrows_back(line, "nn")
    assert not arrows_back("from vitral.nn.norms import RMSNorm", "models")
