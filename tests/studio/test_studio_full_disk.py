"""A disk that takes nothing: the page says which, keeps what it shows, and goes on later.

The system itself refuses: with a limit on the size of files, each write of a byte fails as on a
full disk.
"""

import resource
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.training.small_runs import BOOK

from vitral.studio.rooms.train import processes, runs
from vitral.studio.rooms.train.trainings import Trainings

SEED = "El perro que persiguió al gato cruzó la calle."
RUNS = "/api/training/runs"


@contextmanager
def full_disk() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class Working:
    pid = 2**22 + 1
    code: int | None = None

    def poll(self) -> int | None:
        return self.code


@pytest.fixture
def studio(
    open_studio: Callable[..., TestClient], bert_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    monkeypatch.setattr(processes, "start", lambda *_: Working())
    with open_studio(bert_folder) as client:
        yield client


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_full_disk_is_named_and_later_all_goes_on(studio: TestClient, tmp_path: Path) -> None:
    text = studio.post(
        "/api/training/texts", params={"name": "libro.txt"}, content=BOOK.encode()
    ).json()["id"]
    trace = studio.post("/api/traces", json={"model": "small-bert", "text": SEED}).json()
    file = studio.get(f"/api/traces/{trace['id']}/file")
    begun = studio.post(RUNS, json={"text": text, "name": "uno", "minutes": 1}).json()

    def requests() -> list[Any]:
        name = {"name": "a.vitral"}
        return [
            studio.get(f"/api/traces/{trace['id']}/file"),
            studio.post("/api/trace-files", params=name, content=file.content),
            studio.post("/api/training/texts", params={"name": "b.txt"}, content=b"hola"),
            studio.post(RUNS, json={"text": text, "name": "dos", "minutes": 1}),
            studio.post(RUNS, json={"text": "offered.numbers", "name": "tres", "minutes": 1}),
            studio.post(f"{RUNS}/{begun['id']}/pause"),
        ]

    with full_disk():
        proposed = studio.post("/api/training/proposal", json={"text": text, "minutes": 1})
        for answer in [*requests(), proposed]:
            assert answer.status_code in {422, 507}, answer.text
            error = answer.json()["error"]
            assert error["code"] in {"disk_refuses", "upload_unwritten"}, error
            place = error["values"].get("place", str(tmp_path))
            assert place.startswith((str(tmp_path), tempfile.gettempdir())), error
        # What is shown stays, and other questions are answered.
        assert studio.get(f"/api/traces/{trace['id']}").status_code in {200, 405}
        assert [run["id"] for run in studio.get("/api/training").json()["runs"]] == ["uno"]
        # A training that ended meanwhile is remembered until that can be noted.
        state = studio.app.state.rooms.state(Trainings)  # type: ignore[attr-defined]
        state.runs.processes["uno"].code = 0
        state.scheduler.tick()
        run = studio.get(f"{RUNS}/uno").json()
        assert str(tmp_path / "runs") in run["error"]
        assert str(tmp_path / "runs") in studio.get("/api/training").json()["trouble"]["es"]
    state.scheduler.tick()
    assert studio.get(f"{RUNS}/uno").json()["error"] is None
    assert studio.get("/api/training").json()["trouble"] is None
    again = requests()
    assert [answer.status_code for answer in again[:5]] == [200, 200, 200, 201, 201]


def test_a_run_that_cannot_be_deleted_is_said(
    studio: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "runs" / "mia"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text('{"sources": []}')

    def refuse(path: Path) -> None:
        raise OSError(30, "Read-only file system", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(runs.shutil, "rmtree", refuse)
        answer = studio.delete(f"{RUNS}/mia")
    assert code(answer) == (507, "not_deleted")
    assert "Read-only" in answer.json()["error"]["message"]
    assert studio.get(f"{RUNS}/mia").json()["state"] == "paused"
    assert studio.delete(f"{RUNS}/mia").status_code == 204
