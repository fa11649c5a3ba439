"""docs/architecture.md says how to add one of each kind: its code is added here, and works."""

import io
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from PIL import Image
from starlette.testclient import TestClient

import vitral
from test_import_direction import FLOORS, WEB_FLOORS
from vitral.cli import program
from vitral.explain.registry import MEASURES
from vitral.messages import LANGUAGES, catalogue

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S))


def code_of(title: str) -> dict[str, object]:
    """What the first Python block of a section defines."""
    found = re.search(r"```python\n(.*?)```", SECTIONS[title], re.S)
    assert found is not None, f"no code below {title}"
    assert len([line for line in found[1].splitlines() if line.strip()]) <= 10
    names: dict[str, object] = {"__name__": f"page_{title.replace(' ', '_')}"}
    sys.modules[str(names["__name__"])] = ModuleType(title)
    exec(compile(found[1], title, "exec"), names)
    return names


def say(monkeypatch: pytest.MonkeyPatch, *keys: str) -> None:
    """Give the new messages their words, as the catalogues would have them."""
    for language in LANGUAGES:
        for key in keys:
            monkeypatch.setitem(catalogue(language), key, key)


def test_the_picture_shows_the_floors() -> None:
    sys.path.insert(0, str(ROOT / "docs" / "images"))
    import house

    drawn = (ROOT / "docs" / "images" / "house.svg").read_text(encoding="utf-8")
    assert drawn == house.house(), "draw it again: python docs/images/house.py"
    for floor in [*FLOORS, *WEB_FLOORS]:
        for name in floor - {"__init__", "__main__", "rooms", "program"}:
            assert f">{name}</tspan>" in drawn


def test_every_file_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`((?:[\w-]+/)+[\w.-]+\.(?:py|ts|json))`", PAGE))
    added = {"src/vitral/cli/greet.py"}
    roots = [ROOT, ROOT / "src" / "vitral", ROOT / "web" / "src", ROOT / "src/vitral/studio"]
    missing = {each for each in named - added if not any((root / each).exists() for root in roots)}
    assert len(named) > 15
    assert not missing


def test_a_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    module = ModuleType("vitral.cli.greet")
    vars(module).update(code_of("A command"))
    monkeypatch.setitem(sys.modules, "vitral.cli.greet", module)
    monkeypatch.setattr(program, "COMMANDS", (*program.COMMANDS, "greet"))
    say(monkeypatch, "cli.greet.help", "cli.greet.usage")
    assert program.run(["greet", "Ana"]) == 0
    assert capsys.readouterr().out == "¡Hola, Ana!\n"
    assert program.run(["greet"]) == 2


def test_a_measure(monkeypatch: pytest.MonkeyPatch, bert_folder: Path) -> None:
    last = code_of("A measure")["last"]
    monkeypatch.setitem(MEASURES, "last", last)
    say(monkeypatch, "measure.last.label", "measure.last.sentence")
    trace = vitral.load(str(bert_folder)).trace("El gato duerme.")
    measured = vitral.measures(trace)["last"]
    expected = torch.stack([trace.attention(1, head)[:, -1].mean() for head in range(4)])
    torch.testing.assert_close(measured[1], expected)
    assert MEASURES["last"].sentence("es") == "measure.last.sentence"


def test_a_room() -> None:
    from vitral.studio.application import create_app

    room = code_of("A room")["ROOM"]
    app = create_app(rooms=[room])  # type: ignore[list-item]
    with TestClient(app, base_url="http://127.0.0.1:8321") as client:
        assert client.get("/api/poems").json() == ["Cántico"]
        rooms = client.get("/api/studio").json()["rooms"]
    assert [(each["name"], each["available"]) for each in rooms] == [("poems", True)]


def test_a_lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vitral.lessons import skeleton
    from vitral.lessons.experiment import Experiment
    from vitral.lessons.shelf import folders_in

    square = code_of("A lesson")["square"]
    assert isinstance(square, Experiment)
    assert square.run({"x": 3}).values == {"y": 9.0}
    monkeypatch.setattr(skeleton, "OURS", tmp_path)
    made = skeleton.make_lesson("mine")
    assert folders_in(tmp_path) == [made]


def test_a_surface(monkeypatch: pytest.MonkeyPatch) -> None:
    from vitral.surfaces.picture import PictureSurface
    from vitral.surfaces.place import Patch
    from vitral.surfaces.registry import SURFACES, read_surface

    film = code_of("A surface")["FilmSurface"]
    monkeypatch.setitem(SURFACES, "film", film)
    png = io.BytesIO()
    Image.new("RGB", (8, 4)).save(png, "PNG")
    surface = PictureSurface(png.getvalue(), width=8, height=4, rows=1, columns=2)
    again = read_surface(surface.entries() | {"kind": "film"}, surface.material)
    assert type(again) is film
    assert again.entries() == surface.entries() | {"kind": "film"}
    places = [Patch(0, 0, 0, 0, 4, 4), None, Patch(0, 1, 4, 0, 8, 4)]
    assert again.where(places[2]) == (4, 0, 8, 4)
    assert again.token_at(places, (5, 1)) == 2
    assert again.paint(places, [0.25, 0.5, 0.75]).tolist() == [[0.25, 0.75]]
