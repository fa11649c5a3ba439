"""The Learn room's addresses: lessons, figures, answers, progress, and who may run code."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from vitral.lessons import skeleton
from vitral.lessons.running.process import Bounds
from vitral.studio.rooms.learn.settings import LearnSettings
from vitral.studio.rooms.train.settings import TrainSettings

Open = Callable[..., TestClient]
RIGHT = """
import math
def softmax(z):
    raised = [math.exp(each - max(z)) for each in z]
    return [each / sum(raised) for each in raised]
"""
WRITE = "/api/lessons/activations/exercises/softmax_code"


@pytest.fixture
def open_learn(open_studio: Open, tmp_path: Path) -> Iterator[Open]:
    """A Studio whose progress is in `tmp_path`; takes what LearnSettings takes."""

    def build(**settings: Any) -> TestClient:
        settings.setdefault("progress", tmp_path / "data" / "progress.jsonl")
        learn = LearnSettings(**settings)
        return open_studio(settings=[TrainSettings(runs=tmp_path / "runs"), learn])

    return build


@pytest.fixture
def client(open_learn: Open) -> Iterator[TestClient]:
    with open_learn() as started:
        yield started


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_the_shelf(client: TestClient) -> None:
    shelf = client.get("/api/lessons").json()
    names = [each["name"] for each in shelf["lessons"]]
    assert names.index("activations") < names.index("attention_step")
    assert shelf["runner"] in ("bubblewrap", "process")
    assert all(each["done"] == [] for each in shelf["lessons"])


def test_a_lesson_carries_no_answers(client: TestClient) -> None:
    text = client.get("/api/lessons/attention_step").text
    assert '"two_words"' in text
    for hidden in ("solution", "mistakes", "until", "tolerance", "divided_by_d"):
        assert f'"{hidden}"' not in text
    lesson = json.loads(text)
    assert lesson["blocks"]["es"][0]["name"] == "opening"
    assert error(client.get("/api/lessons/nada")) == (404, "lesson_unknown")


def test_numbers_and_figures_are_computed(client: TestClient) -> None:
    drawn = client.post(
        "/api/lessons/attention_step/figures/two_words", json={"values": {"scaled": True}}
    ).json()
    assert drawn["values"]["weight_self"] == pytest.approx(0.66976, abs=1e-5)
    assert [each["kind"] for each in drawn["pictures"]] == ["steps", "curves", "bars"]


@pytest.mark.parametrize(
    ("values", "code"),
    [({"x": 99}, "lesson_value"), ({"z": 1}, "lesson_value"), ({"x": "mucho"}, "lesson_value")],
)
def test_a_figure_goes_no_further_than_its_controls(
    client: TestClient, values: dict[str, object], code: str
) -> None:
    answer = client.post("/api/lessons/activations/figures/curves", json={"values": values})
    assert error(answer) == (422, code)


def test_a_model_that_studio_does_not_offer_is_refused(client: TestClient) -> None:
    body = {"values": {"model": "/etc", "text": "hola"}}
    answer = client.post("/api/lessons/attention_step/yours/own", json=body)
    assert error(answer) == (404, "model_unknown")
    answer = client.post("/api/lessons/attention_step/figures/head", json=body)
    assert error(answer) == (404, "model_unknown")


def test_answers_are_kept(client: TestClient, tmp_path: Path) -> None:
    predict = "/api/lessons/activations/predictions/flattest"
    assert client.post(predict, json={"answer": "relu"}).json() == {
        "right": False,
        "answer": "tanh",
    }
    tune = "/api/lessons/activations/exercises/one_sixth"
    assert client.post(tune, json={"values": {"b": 3}}).json()["passed"] is False
    assert client.post(tune, json={"values": {"b": 1}}).json()["passed"] is True
    observe = "/api/lessons/activations/exercises/lowest"
    assert client.post(observe, json={"answer": 3}).json()["passed"] is False
    assert client.post(observe, json={"answer": -0.75}).json()["passed"] is True
    assert error(client.post(observe, json={})) == (422, "request_invalid")
    lines = (tmp_path / "data" / "progress.jsonl").read_text().splitlines()
    assert [json.loads(line)["passed"] for line in lines] == [False, False, True, False, True]
    with (tmp_path / "data" / "progress.jsonl").open("a") as file:
        file.write('{"half a li')
    done = {each["name"]: each["done"] for each in client.get("/api/lessons").json()["lessons"]}
    assert done["activations"] == ["flattest", "lowest", "one_sixth"]
    assert client.delete("/api/lessons/progress").status_code == 204
    assert client.get("/api/lessons").json()["lessons"][0]["done"] == []


def test_progress_that_cannot_be_written_is_said(open_learn: Open, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with open_learn(progress=tmp_path / "file" / "progress.jsonl") as client:
        answer = client.post(
            "/api/lessons/activations/predictions/flattest", json={"answer": "tanh"}
        )
        assert error(answer) == (500, "progress_unwritable")


def test_code_needs_the_sessions_secret(client: TestClient) -> None:
    body = {"code": RIGHT}
    assert error(client.post(WRITE, json=body)) == (403, "code_secret")
    wrong = {"Vitral-Secret": "guessed"}
    assert error(client.post(WRITE, json=body, headers=wrong)) == (403, "code_secret")
    headers = {"Vitral-Secret": client.get("/api/lessons").json()["secret"]}
    assert client.post(WRITE, json=body, headers=headers).json()["passed"] is True


def test_another_origin_runs_nothing(client: TestClient) -> None:
    headers = {
        "Vitral-Secret": client.get("/api/lessons").json()["secret"],
        "Origin": "https://example.org",
    }
    answer = client.post(WRITE, json={"code": RIGHT}, headers=headers)
    assert error(answer) == (403, "request_forbidden")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def softmax(z):\n    return 1 / 0", "code_failed"),
        ("def softmax(z):\n    while True: pass", "code_timeout"),
        ("def softmax(z):\n    return [0.5] * len(z)", "judge_wrong"),
    ],
)
def test_wrong_code_is_told_why(open_learn: Open, code: str, said: str) -> None:
    with open_learn(bounds=Bounds(seconds=1.5)) as client:
        headers = {"Vitral-Secret": client.get("/api/lessons").json()["secret"]}
        marked = client.post(WRITE, json={"code": code}, headers=headers).json()
        assert (marked["passed"], marked["line"]["code"]) == (False, said)


def test_a_known_mistake_gets_its_own_words(client: TestClient) -> None:
    headers = {"Vitral-Secret": client.get("/api/lessons").json()["secret"]}
    naive = RIGHT.replace(" - max(z)", "")
    marked = client.post(WRITE, json={"code": naive}, headers=headers).json()
    assert "1000" in marked["words"]["es"]


def test_where_code_is_off_it_is_said(open_learn: Open) -> None:
    with open_learn(runs_code=False) as client:
        shelf = client.get("/api/lessons").json()
        assert shelf["runner"] == "off"
        headers = {"Vitral-Secret": shelf["secret"]}
        answer = client.post(WRITE, json={"code": RIGHT}, headers=headers)
        assert error(answer) == (403, "code_off")


def test_lessons_of_others(open_learn: Open, tmp_path: Path) -> None:
    skeleton.make_lesson("clase", tmp_path / "otras")
    with open_learn(lessons=[tmp_path / "otras"]) as client:
        cards = {each["name"]: each for each in client.get("/api/lessons").json()["lessons"]}
        assert cards["clase"]["ours"] is False
        lesson = client.get("/api/lessons/clase").json()
        assert lesson["words"]["function"]["es"] == "La función"
        drawn = client.post("/api/lessons/clase/figures/line", json={"values": {"x": 1}})
        assert drawn.json()["values"]["output"] == pytest.approx(0.76159, abs=1e-4)
        headers = {"Vitral-Secret": client.get("/api/lessons").json()["secret"]}
        body = {"code": "def double(x):\n    return 2 * x"}
        path = "/api/lessons/clase/exercises/write"
        assert client.post(path, json=body, headers=headers).json()["passed"] is True
