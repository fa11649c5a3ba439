"""Imports point one way: a room may use those below it, never those above."""

from pathlib import Path

import pytest

from imports import MODULES, WEB, modules_imported, web_files, web_imported

FLOORS = [
    {"messages"},
    {"errors"},
    {"stopping"},
    {"nn"},
    {"text"},
    {"data"},
    {"figures"},
    {"surfaces"},
    {"models"},
    {"tracing"},
    {"explain", "generation", "training", "showing", "vision"},
    {"model"},
    {"lessons"},
    {"studio"},
    {"notebook"},
    {"cli"},
    {"__init__", "__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

UPWARDS = {"vitral.tracing.shown": {"showing", "notebook"}}
"""The only arrows back: a trace shows itself through the floors that draw it, found by name."""

WEB_FLOORS = [
    {"messages"},
    {"design"},
    {"protocol"},
    {"state"},
    {"frame"},
    {"trace"},
    {"rooms"},
    {"program"},
    {"page", "notebook"},
]
"""The front end's folders. "rooms" are all folders that are not named here, "program" the files
that stand in none (the list of rooms, the frame around them). On one floor nobody imports
another: no room another room."""
WEB_FLOOR = {name: number for number, names in enumerate(WEB_FLOORS) for name in names}


def room_of(module: str) -> str:
    """The room of vitral that a module belongs to; "__init__" is the package itself."""
    return module.split(".")[1] if "." in module else "__init__"


def arrows_back(source: str, module: str) -> set[str]:
    """The rooms that a module imports and may not."""
    room = room_of(module)
    allowed = {other for other in FLOOR if FLOOR[other] < FLOOR[room]} | {room}
    # The package's own module holds the version and imports nothing when it is imported.
    if FLOOR[room] >= FLOOR["model"]:
        allowed.add("__init__")
    allowed |= UPWARDS.get(module, set())
    return {room_of(each) for each in modules_imported(source)} - allowed


@pytest.mark.parametrize("module", MODULES)
def test_no_arrow_points_back(module: str) -> None:
    assert room_of(module) in FLOOR, f"{module} has no floor in {__name__}"
    assert not arrows_back(MODULES[module].read_text(encoding="utf-8"), module)


@pytest.mark.parametrize(
    "line",
    [
        "from vitral.tracing import Trace",
        "import vitral.tracing.trace",
        "from vitral import tracing",
        "import vitral",
        "def f():\n    from vitral.cli import main",
        'def f():\n    import_module("vitral.notebook").view()',
        'HOMES = {"a": "tracing.trace"}\nimport_module(f"vitral.{HOMES[name]}")',
        'HOMES = {"a": "vitral.tracing.trace"}\nimportlib.import_module(HOMES[name])',
    ],
)
def test_an_arrow_back_is_seen(line: str) -> None:
    assert arrows_back(line, "vitral.nn.norms")
    assert not arrows_back("from vitral.nn.norms import RMSNorm", "vitral.models.llama")
    assert not arrows_back('SAID = "vitral.tracing.trace"', "vitral.nn.norms")


def web_room_of(path: str) -> str:
    """The folder of the front end that a file stands in."""
    return path.partition("/")[0] if "/" in path else "program"


def web_arrows_back(source: str, path: str, known: dict[str, Path]) -> set[str]:
    """The folders that a file of the front end imports and may not."""

    def floor(room: str) -> int:
        return WEB_FLOOR.get(room, WEB_FLOOR["rooms"])

    mine = web_room_of(path)
    others = {web_room_of(each) for each in web_imported(source, path, known)} - {mine}
    return {other for other in others if floor(other) >= floor(mine)}


@pytest.mark.parametrize("path", web_files())
def test_no_arrow_of_the_front_end_points_back(path: str) -> None:
    known = web_files()
    assert not web_arrows_back(known[path].read_text(encoding="utf-8"), path, known)


def test_an_arrow_back_of_the_front_end_is_seen() -> None:
    known = {each: WEB / each for each in ("write/Write.svelte", "trace/lines.ts", "main.ts")}
    for line in (
        'import Write from "../write/Write.svelte";',
        'import {\n  a,\n  b,\n} from "../write/Write.svelte";',
        'const load = () => import("../write/Write.svelte");',
        'import "../main";',
        'export { a } from "../main";',
        'import type { A } from "../main";',
    ):
        assert web_arrows_back(line, "train/Train.svelte", known), line
    assert not web_arrows_back('import { a } from "../trace/lines";', "train/Train.svelte", known)
    assert web_arrows_back('import { a } from "../write/Write.svelte";', "trace/lines.ts", known)
