"""What stands below in Studio knows nothing of what stands above: no room, no other room, and no
circle of imports."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from vitral.studio.rooms.registry import ROOMS

SOURCE = Path(__file__).parents[2] / "src"
STUDIO = SOURCE / "vitral" / "studio"
ROOM_NAMES = {room.name for room in ROOMS}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in STUDIO.rglob("*.py")}


def imported(source: str) -> set[str]:
    """The modules of Studio that a module imports, wherever in it, but for types alone."""
    found: set[str] = set()

    def walk(node: ast.AST) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(name if name in MODULES else str(node.module) for name in names)
        for child in ast.iter_child_nodes(node):
            walk(child)

    walk(ast.parse(source))
    return found & MODULES.keys()


GRAPH = {name: imported(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def room_in(module: str) -> str | None:
    """The room of the module, None where it belongs to none."""
    parts = module.split(".")
    return parts[3] if parts[2:3] == ["rooms"] and len(parts) > 4 else None


def test_every_room_has_a_folder_and_every_folder_a_room() -> None:
    folders = {path.parent.name for path in (STUDIO / "rooms").glob("*/__init__.py")}
    assert folders == ROOM_NAMES


@pytest.mark.parametrize("module", sorted(MODULES))
def test_only_the_registry_knows_the_rooms(module: str) -> None:
    rooms = {room for each in GRAPH[module] if (room := room_in(each)) is not None}
    if module == "vitral.studio.rooms.registry":
        assert rooms == ROOM_NAMES
    else:
        assert rooms <= {room_in(module)}


def test_imports_form_no_circle() -> None:
    TopologicalSorter(GRAPH).prepare()  # raises CycleError, which names the circle


def test_an_import_is_seen() -> None:
    room = "vitral.studio.rooms.train.room"
    assert imported(f"def f():\n    from {room} import ROOM") == {room}
    assert imported("from vitral.studio.rooms.train import room") == {room}
    assert not imported(f"if TYPE_CHECKING:\n    from {room} import ROOM")
    assert room_in(room) == "train"
