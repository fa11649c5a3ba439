"""Trainings through the API: begun, queued, paused, taken up again, ended, deleted."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.training.small_runs import BOOK

import vitral
from vitral.models.forms import names
from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.studio.rooms.train import processes
from vitral.studio.rooms.train.filled_in import filled_in, flat
from vitral.studio.rooms.train.trainings import Trainings
from vitral.studio.traces.blocks import decode_block
from vitral.training.recipes.plain import plain_recipe
from vitral.training.recipes.recipe import Recipe
from vitral.training.recipes.recipe_entries import all_entries
from vitral.training.runs.run_lock import hold

RUNS = "/api/training/runs"
SENTENCE = "El perro cruzó la calle."
TINY: dict[str, Any] = {
    "model.form": "llama",
    "model.context": 32,
    "model.hidden_size": 16,
    "model.num_layers": 2,
    "model.num_heads": 2,
    "model.intermediate_size": 24,
    "tokenizer.kind": "byte",
    "batch.tokens": 64,
    "batch.lengths": [16],
    "evaluate_every": 4,
    "checkpoint_minutes": 60.0,
}


@pytest.fixture
def studio(open_studio: Callable[..., TestClient], bert_folder: Path) -> Iterator[TestClient]:
    with open_studio(bert_folder) as client:
        client.headers["Accept-Language"] = "es"
        yield client
        for run in client.get("/api/training").json()["runs"]:
            client.post(f"{RUNS}/{run['id']}/pause")
        for process in list(client.app.state.rooms.state(Trainings).runs.processes.values()):  # type: ignore[attr-defined]
            process.wait(60)


@pytest.fixture
def idle(studio: TestClient, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """No process is started; the commands that would be are noted, and seem to work on."""
    commands: list[list[str]] = []

    class Working:
        pid = 2**22 + 1  # beyond the numbers that Linux gives

        def poll(self) -> None:
            return None

        def wait(self, seconds: float) -> None:
            return None

    def start(arguments: list[str], log: Path, language: str) -> Working:
        commands.append([*arguments])
        return Working()

    monkeypatch.setattr(processes, "start", start)
    return commands


def upload(studio: TestClient) -> str:
    answer = studio.post("/api/training/texts", params={"name": "libro.txt"}, content=BOOK.encode())
    return str(answer.json()["id"])


def begin(studio: TestClient, **changes: Any) -> dict[str, Any]:
    body = {"text": upload(studio), "name": "Mis cuentos", "watch": SENTENCE}
    answer = studio.post(RUNS, json=body | changes)
    assert answer.status_code == 201, answer.text
    run: dict[str, Any] = answer.json()
    return run


def until(studio: TestClient, id: str, *states: str) -> dict[str, Any]:
    """The run, once it is in one of those states."""
    end = time.monotonic() + 180
    while time.monotonic() < end:
        run: dict[str, Any] = studio.get(f"{RUNS}/{id}").json()
        if run["state"] in states:
            return run
        time.sleep(0.2)
    raise AssertionError(run)


def code(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


def test_a_training_from_its_beginning_to_explore(studio: TestClient, tmp_path: Path) -> None:
    run = begin(studio, settings=TINY | {"steps": 100_000})
    id = run["id"]
    assert (id, run["name"], run["state"]) == ("mis-cuentos", "Mis cuentos", "preparing")
    until(studio, id, "running")
    assert code(studio.delete(f"{RUNS}/{id}")) == "run_is_working"
    assert code(studio.post(f"{RUNS}/{id}/resume")) == "run_not_resting"
    assert studio.post(f"{RUNS}/{id}/pause").json()["state"] == "pausing"
    paused = until(studio, id, "paused", "failed")
    assert paused["state"] == "paused"
    assert paused["step"] > 0
    assert (tmp_path / "runs" / id / "checkpoint").is_dir()
    assert studio.post(f"{RUNS}/{id}/resume").json()["step"] == paused["step"]
    until(studio, id, "running")
    assert studio.post(f"{RUNS}/{id}/stop").json()["state"] == "stopping"
    ended = until(studio, id, "finished", "failed")
    assert (ended["state"], ended["model"]) == ("finished", id)
    assert ended["step"] >= paused["step"]
    # The model is in the catalog at once, and says what the last watched step said.
    assert id in [model["name"] for model in studio.get("/api/studio").json()["models"]]
    trace = studio.post("/api/traces", json={"model": id, "text": SENTENCE}).json()
    assert trace["num_layers"] == 2
    model = vitral.load(tmp_path / "runs" / id / "model")
    found = model.trace(SENTENCE)
    step = max(watched(studio, id)["steps"])
    block = studio.get(f"{RUNS}/{id}/watched/pattern", params={"step": step, "layer": 1, "head": 0})
    header, pattern = decode_block(block.content)
    assert (header["step"], pattern.shape) == (step, (len(found.tokens),) * 2)
    if step == ended["step"]:
        assert abs(pattern - found.attention(1, 0).numpy()).max() < 1e-5
    header, maps = decode_block(
        studio.get(f"{RUNS}/{id}/watched/pooled", params={"step": step}).content
    )
    assert maps.shape == (2, 2, min(24, len(found.tokens)), min(24, len(found.tokens)))
    assert studio.delete(f"{RUNS}/{id}").status_code == 204
    assert not (tmp_path / "runs" / id).exists()
    assert code(studio.post("/api/traces", json={"model": id, "text": SENTENCE})) == "model_unknown"


def watched(studio: TestClient, id: str) -> dict[str, Any]:
    from vitral.training.watching.watched_files import read_watched, watched_steps

    path = studio.app.state.rooms.state(Trainings).runs.path(id)  # type: ignore[attr-defined]
    text = read_watched(path)
    assert text is not None
    return text | {"steps": watched_steps(path)}


def test_what_a_process_says_at_its_end_is_told(studio: TestClient) -> None:
    id = begin(studio, watch="perro " * 40, settings=TINY | {"steps": 5})["id"]
    failed = until(studio, id, "failed", "finished")
    assert failed["state"] == "failed"
    assert "tokens" in failed["error"]
    assert studio.delete(f"{RUNS}/{id}").status_code == 204


def test_one_at_a_time(studio: TestClient, idle: list[list[str]]) -> None:
    first = begin(studio, name="uno", minutes=3)
    second = begin(studio, name="dos", settings=TINY | {"steps": 7})
    third = begin(studio, name="tres", minutes=1, watch=None)
    assert [run["state"] for run in (first, second, third)] == ["preparing", "queued", "queued"]
    assert [run["place"] for run in (first, second, third)] == [None, 1, 2]
    assert len(idle) == 1
    assert idle[0][:3] == ["train", idle[0][1], "--minutes=3.0"]
    assert idle[0][1].endswith("libro.txt")
    assert f"--set=watch={json.dumps(SENTENCE)}" in idle[0]
    left = studio.post(f"{RUNS}/dos/pause").json()
    assert (left["state"], left["place"]) == ("paused", None)
    assert studio.get(f"{RUNS}/tres").json()["place"] == 1
    again = studio.post(f"{RUNS}/dos/resume").json()
    assert (again["state"], again["place"]) == ("queued", 1)  # by when they were asked for
    room = studio.app.state.rooms.state(Trainings)  # type: ignore[attr-defined]
    room.runs.processes.clear()  # the first one is over
    room.scheduler.tick()
    assert len(idle) == 2
    assert "watch=" not in " ".join(idle[1])
    recipe = Path(idle[1][2].removeprefix("--recipe=")).read_text(encoding="utf-8")
    assert SENTENCE in recipe
    assert "steps: 7" in recipe


def test_a_run_begun_in_a_terminal_is_found_and_paused(
    studio: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "runs" / "gatos"
    run.mkdir(parents=True)
    (run / "run.json").write_text('{"sources": ["/libros/gatos.txt"]}', encoding="utf-8")
    (run / "steps.jsonl").write_text('{"step": 12, "loss": 2.0}\n', encoding="utf-8")
    told: list[int] = []
    monkeypatch.setattr(processes, "interrupt", told.append)
    with (run / ".lock").open("a+") as lock:
        assert hold(lock)
        found = studio.get(f"{RUNS}/gatos").json()
        assert (found["state"], found["step"], found["source"]) == ("running", 12, "gatos.txt")
        assert studio.post(f"{RUNS}/gatos/pause").json()["state"] == "pausing"
        studio.post(f"{RUNS}/gatos/pause")  # a second Ctrl-C would not wait
        assert told == [int((run / ".lock").read_text())]
    assert studio.get(f"{RUNS}/gatos").json()["state"] == "paused"


@pytest.mark.parametrize("id", ["%2e%2e", "..%2ffuera", "%2fetc", ".studio", "nada", "a%00b"])
def test_an_id_leads_nowhere_else(studio: TestClient, tmp_path: Path, id: str) -> None:
    outside = tmp_path / "fuera"
    outside.mkdir()
    (outside / "run.json").write_text("{}", encoding="utf-8")
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    (tmp_path / "runs").mkdir(exist_ok=True)
    (tmp_path / "runs" / "enlace").symlink_to(outside)
    for each in (id, "enlace"):
        for method, path in (
            ("GET", ""),
            ("DELETE", ""),
            ("POST", "/pause"),
            ("POST", "/resume"),
            ("POST", "/stop"),
            ("GET", "/events"),
            ("GET", "/watched/pooled?step=0"),
        ):
            answer = studio.request(method, f"{RUNS}/{each}{path}")
            assert answer.status_code in (404, 405), (method, path, answer.text)
    assert (outside / "run.json").exists()
    assert (tmp_path / "run.json").exists()


def test_all_mistakes_of_a_form_are_told_at_their_fields(
    studio: TestClient, idle: list[list[str]]
) -> None:
    settings = TINY | {"model.num_layers": "dos", "model.num_heads": 3, "tokenizer.kind": "letras"}
    settings |= {"phases.0.teacher.model": "/etc", "steps": 3}
    body = {"text": "offered.numbers", "name": "x", "settings": settings}
    answer = studio.post(RUNS, json=body)
    assert (answer.status_code, code(answer)) == (422, "form_invalid")
    mistakes = {each["path"]: each for each in answer.json()["error"]["values"]["mistakes"]}
    assert set(mistakes) == {
        "model.num_layers",
        "model.hidden_size",
        "tokenizer.kind",
        "phases.0.teacher.model",
    }
    said = mistakes["model.num_layers"]
    assert said["es"] == 'se esperaba un número entero ≥ 1 y ≤ 1000, no "dos"'
    assert said["en"] == 'expected a whole number ≥ 1 and ≤ 1000, not "dos"'
    assert idle == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"minutes": None}, "minutes_missing"),
        ({"text": None}, "text_not_chosen"),
        ({"text": "../libro.txt"}, "text_unknown"),
        ({"minutes": -1}, "request_invalid"),
        ({"name": ""}, "request_invalid"),
        ({"watch": "a" * 501}, "request_invalid"),
        ({"settings": {"steps": {"a": 1}}}, "request_invalid"),
    ],
)
def test_what_cannot_begin_is_said(
    studio: TestClient, idle: list[list[str]], changes: dict[str, Any], expected: str
) -> None:
    body: dict[str, Any] = {"text": "offered.numbers", "name": "x", "minutes": 1}
    assert code(studio.post(RUNS, json=body | changes)) == expected
    assert idle == []
    assert studio.get("/api/training").json()["runs"] == []


def test_the_form_is_the_recipes_own_schema(studio: TestClient) -> None:
    fields = studio.get("/api/training/form").json()
    assert fields[0]["path"] == "model.form"
    assert fields[0]["choices"] == list(names())
    known = {path.partition("[")[0] + path.partition("]")[2] for path, _ in all_entries()}
    asked = {field["path"] for field in fields}
    assert known - asked == {"name", "minutes", "phases.*.objective"}
    assert asked <= known
    for field in fields:
        assert field["words"]["es"] != field["words"]["en"], field["path"]
    recipe = plain_recipe("x", [], 100, None)
    assert filled_in({**flat(recipe), "name": "x"}, ModelCatalog()) == recipe


def test_every_entry_has_its_words() -> None:
    from vitral.messages import LANGUAGES, catalogue

    names = {
        "recipe.entry." + path.partition("[")[0] + path.partition("]")[2]
        for path, _ in all_entries()
    }
    for language in LANGUAGES:
        said = {key for key in catalogue(language) if key.startswith("recipe.entry.")}
        assert said == names


def test_the_dial_is_asked_for_its_choice(
    studio: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it chooses, and how, has tests of its own: here it is made to choose at once."""
    asked = []

    def choose(sources: list[str], minutes: float, out: Path, *, name: str) -> Recipe:
        asked.append((Path(sources[0]).name, minutes))
        return plain_recipe(name, sources, 1000, None)

    monkeypatch.setattr("vitral.training.recipes.dial.choose", choose)
    answer = studio.post("/api/training/proposal", json={"text": upload(studio), "minutes": 2})
    assert answer.status_code == 200, answer.text
    settings = answer.json()["settings"]
    assert settings["model.form"] == "llama"
    assert settings["model.hidden_size"] == 192
    assert asked == [("libro.txt", 2)]
    assert settings["tokenizer.kind"] == "byte"
    assert "name" not in settings
    again = filled_in({**settings, "name": "x", "minutes": 1.0, "steps": None}, ModelCatalog())
    assert again.minutes == 1.0


def test_finished_runs_are_in_the_catalog_after_a_restart(
    open_studio: Callable[..., TestClient], bert_folder: Path, llama_folder: Path, tmp_path: Path
) -> None:
    run = tmp_path / "runs" / "cuentos"
    run.mkdir(parents=True)
    (run / "run.json").write_text('{"sources": []}', encoding="utf-8")
    (run / "model").symlink_to(llama_folder)
    (tmp_path / "runs" / "otra-cosa").mkdir()
    with open_studio(bert_folder) as studio:
        names = [model["name"] for model in studio.get("/api/studio").json()["models"]]
        assert "cuentos" in names
        runs = studio.get("/api/training").json()["runs"]
        assert [(run["id"], run["state"], run["model"]) for run in runs] == [
            ("cuentos", "finished", "cuentos")
        ]
