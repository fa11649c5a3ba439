"""Run folders in which anything stands: each is one line in the list, and hurts no other."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from vitral.studio.rooms.train import processes
from vitral.studio.rooms.train.trainings import Trainings

RUNS = "/api/training/runs"
DEEP = "[" * 5000 + "]" * 5000
NESTED = "[" * 300 + "]" * 300
BOMB = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
)
NOTE = {"name": "x", "source": "", "created": 1.0}


def fifo(path: Path) -> None:
    os.mkfifo(path)


def link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**36)


def text(value: Any) -> Callable[[Path], None]:
    said = value if isinstance(value, str | bytes) else json.dumps(value)
    return lambda path: (
        path.write_bytes(said if isinstance(said, bytes) else said.encode()) and None
    )


STEP = {"step": 1, "loss": 1.0, "rate": 1.0, "gradient_norm": 1.0, "tokens": 1, "seconds": 1.0}
DAMAGE: dict[str, tuple[str, Callable[[Path], None]]] = {
    "step-null": ("steps.jsonl", text(json.dumps(STEP | {"step": None}) + "\n")),
    "step-huge": ("steps.jsonl", text('{"step": ' + "9" * 400 + "}\n")),
    "step-text": ("steps.jsonl", text(json.dumps(STEP | {"seconds": "mucho"}) + "\n")),
    "step-nan": ("steps.jsonl", text('{"step": 1, "loss": NaN}\n')),
    "step-deep": ("steps.jsonl", text(DEEP + "\n")),
    "step-pipe": ("steps.jsonl", fifo),
    "step-zero": ("steps.jsonl", link("/dev/zero")),
    "step-loop": ("steps.jsonl", link("steps.jsonl")),
    "minutes-text": (
        "curve.jsonl",
        text('{"step":1,"tokens":1,"minutes":"x","loss":1,"held_out_loss":1}\n'),
    ),
    "curve-pipe": ("curve.jsonl", fifo),
    "run-deep": ("run.json", text(DEEP)),
    "run-sources": ("run.json", text({"sources": [1, None]})),
    "run-number": ("run.json", text("7")),
    "run-huge": ("run.json", sparse),
    "run-latin": ("run.json", text(b'{"sources": ["\xff"]}')),
    "recipe-bomb": ("recipe.yaml", text(BOMB)),
    "recipe-deep": ("recipe.yaml", text(DEEP)),
    "recipe-tag": ("recipe.yaml", text("name: !!bool x\n")),
    "recipe-digits": ("recipe.yaml", text("steps: " + "9" * 6000)),
    "recipe-pipe": ("recipe.yaml", fifo),
    "recipe-zero": ("recipe.yaml", link("/dev/zero")),
    "recipe-huge": ("recipe.yaml", sparse),
    "recipe-folder": ("recipe.yaml", Path.mkdir),
    "watched-deep": ("watched/text.json", text(NESTED)),
    "watched-kind": ("watched/text.json", text({"text": 5, "causal": True, "tokens": []})),
    "config-number": ("model/config.json", text({"architectures": [1], "text_config": 3})),
    "config-deep": ("model/config.json", text(DEEP)),
    "config-list": ("model/config.json", text([])),
    "note-deep": ("note.json", text(NESTED)),
    "note-number": ("note.json", text(NOTE | {"name": 7})),
    "note-surrogate": ("note.json", text('{"name":"\\ud800","source":"","created":1}')),
    "note-created": ("note.json", text(NOTE | {"created": "gestern"})),
    "note-pipe": ("note.json", fifo),
}
LIVES = {"config-number"}
"""What is no damage: a configuration of a kind that is not known is offered to nobody."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with one whole run, and one damaged run of every kind."""
    runs = tmp_path / "runs"
    (runs / "buena").mkdir(parents=True)
    (runs / "buena" / "run.json").write_text('{"sources": ["libro.txt"]}')
    (runs / "buena" / "steps.jsonl").write_text(json.dumps(STEP) + "\n")
    for name, (file, damage) in DAMAGE.items():
        run = runs / name
        run.mkdir()
        (run / "tokenizer.json").write_text("{}")
        path = runs / ".studio" / "runs" / name / file if name.startswith("note") else run / file
        path.parent.mkdir(parents=True, exist_ok=True)
        damage(path)
    for bad in (b"con\xff", b"con\x1b[31m", b"con\n"):
        path = Path(os.fsdecode(os.fsencode(runs) + b"/" + bad))
        path.mkdir()
        (path / "run.json").write_text('{"sources": []}')
    yield runs
    shutil.rmtree(runs, ignore_errors=True)


def test_each_damaged_run_is_one_line(
    folder: Path, open_studio: Callable[..., TestClient], bert_folder: Path
) -> None:
    with open_studio(bert_folder) as studio:
        answer = studio.get("/api/training")
        assert answer.status_code == 200, answer.text
        runs = {run["id"]: run for run in answer.json()["runs"]}
        assert runs["buena"]["state"] == "paused"
        assert runs["buena"]["damage"] is None
        assert len(runs) == 1 + len(DAMAGE) + 3
        for name in DAMAGE.keys() - LIVES:
            damage = runs[name]["damage"]
            assert runs[name]["state"] == "damaged", name
            assert damage["es"] != damage["en"], name
            assert DAMAGE[name][0].rpartition("/")[2] in damage["es"], damage
            assert len(damage["es"]) < 700
            refused = studio.post(f"{RUNS}/{name}/resume").json()["error"]["code"]
            assert refused == "run_not_resting"
        for shown in ("con\\xff", "con\\x1b[31m", "con\\x0a"):
            assert runs[shown]["state"] == "damaged"
        # Afterwards all goes on, and what is damaged can be deleted.
        assert studio.delete(f"{RUNS}/recipe-bomb").status_code == 204
        assert studio.delete(f"{RUNS}/con%5Cxff").status_code == 204
        assert not (folder / "recipe-bomb").exists()
        left = studio.get("/api/training").json()["runs"]
        assert len(left) == len(runs) - 2
        assert studio.get("/api/studio").status_code == 200


def test_a_folder_that_may_not_be_read(
    folder: Path, open_studio: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    from vitral.studio.rooms.train import runs

    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(runs, "is_begun", refuse)
    monkeypatch.setattr("vitral.studio.rooms.train.run_damage.read_asked", refuse)
    with open_studio() as studio:
        found = {run["id"]: run for run in studio.get("/api/training").json()["runs"]}
        assert "Permission denied" in found["buena"]["damage"]["en"]


def test_a_run_that_cannot_begin_keeps_no_other_from_its_turn(
    tmp_path: Path, open_studio: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name with a NUL in its note, a log that is a pipe: both have failed, the third begins."""
    noted = tmp_path / "runs" / ".studio" / "runs"
    for created, (id, name) in enumerate((("a", "con\0nulo"), ("b", "b"), ("c", "c"))):
        (noted / id).mkdir(parents=True)
        note = {"name": name, "source": "", "created": created, "minutes": 1}
        (noted / id / "note.json").write_text(json.dumps(note))
    os.mkfifo(noted / "b" / "log.txt")
    command = ["sleep", "60"]
    start = processes.subprocess.Popen

    def sleeping(arguments: list[str], **options: Any) -> Any:
        start(["true", *arguments]).wait()  # a NUL is refused by the system
        return start(command, **options)

    monkeypatch.setattr(processes.subprocess, "Popen", sleeping)
    with open_studio() as studio:
        runs = {run["id"]: run for run in studio.get("/api/training").json()["runs"]}
        state = studio.app.state.rooms.state(Trainings)  # type: ignore[attr-defined]
        state.runs.processes["c"].kill()
        state.runs.processes["c"].wait()
    assert (runs["a"]["state"], runs["b"]["state"]) == ("failed", "failed")
    assert "null byte" in runs["a"]["error"]
    assert "log.txt" in runs["b"]["error"]
    assert runs["c"]["state"] == "preparing"


@pytest.mark.parametrize("name", ["con\0nulo", "con\x1b[31m", "con\n", "medio \ud800"])
def test_control_characters_are_no_name(open_studio: Callable[..., TestClient], name: str) -> None:
    with open_studio() as studio:
        body = json.dumps({"text": "offered.sentences", "name": name, "minutes": 1})
        answer = studio.post(RUNS, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in {400, 422}
        assert answer.json()["error"]["code"] in {"control_characters", "request_invalid"}
        assert studio.get("/api/training").json()["runs"] == []


def test_of_two_studios_on_one_folder_one_starts_trainings(
    open_studio: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    class Working:
        pid = 2**22 + 1

        def poll(self) -> None:
            return None

    def start(arguments: list[str], log: Path, language: str) -> Working:
        begun.append(log.parent.name)
        return Working()

    monkeypatch.setattr(processes, "start", start)
    body = {"text": "offered.sentences", "minutes": 1.0}
    with open_studio() as first, open_studio() as second:
        one = first.post(RUNS, json=body | {"name": "igual"}).json()
        two = second.post(RUNS, json=body | {"name": "igual"}).json()
        assert (one["id"], two["id"]) == ("igual", "igual-2")
        assert (one["state"], two["state"]) == ("preparing", "queued")
        second.app.state.rooms.state(Trainings).scheduler.tick()  # type: ignore[attr-defined]
        assert begun == ["igual"]
