"""A picture is sent to a model that reads pictures, traced, and had back as the model saw it."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

import vitral
from picture_models import drawn
from vitral.studio.application import create_app
from vitral.studio.limits import Limits
from vitral.studio.rooms.train.settings import TrainSettings
from vitral.studio.traces.blocks import decode_block

ADDRESS = "http://127.0.0.1:8321"
MOST = 40_000


@pytest.fixture(scope="module")
def client(
    vit_folder: Path, bert_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    runs = tmp_path_factory.mktemp("studio") / "runs"
    folders = [str(vit_folder), str(bert_folder)]
    settings = [TrainSettings(runs=runs)]
    app = create_app(folders, limits=Limits(picture_bytes=MOST), settings=settings)
    with TestClient(app, base_url=ADDRESS, raise_server_exceptions=False) as started:
        yield started


def send(client: TestClient, content: bytes, model: str = "small-vit", **asked: Any) -> Any:
    params = {"model": model, "name": "foto.png"} | asked
    return client.post("/api/pictures", params=params, content=content)


@pytest.fixture(scope="module")
def trace(client: TestClient, picture_file: Path) -> dict[str, Any]:
    answer = send(client, picture_file.read_bytes())
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_models_say_what_they_read(client: TestClient) -> None:
    models = {each["name"]: each for each in client.get("/api/studio").json()["models"]}
    assert models["small-vit"]["reads"] == "picture"
    assert models["small-bert"]["reads"] == models["vitral-es-bert"]["reads"] == "text"


def test_a_trace_says_where_its_tokens_lie(trace: dict[str, Any]) -> None:
    surface = trace["surface"]
    sizes = [surface[name] for name in ("kind", "width", "height", "rows", "columns", "name")]
    assert sizes == ["picture", 32, 32, 4, 4, "foto.png"]
    assert (surface["original"], surface["seen"]) == ([90, 60], [0, 0, 90, 60])
    assert surface["notes"] == []
    assert (trace["text"], trace["num_tokens"]) == ("foto.png", 17)
    assert trace["tokens"][0] == {
        "id": 0,
        "text": "[CLS]",
        "start": None,
        "end": None,
        "special": True,
    }
    patch = {"row": 1, "column": 2, "left": 16, "top": 8, "right": 24, "bottom": 16}
    assert trace["tokens"][7]["patch"] == patch


def test_the_picture_comes_back_as_the_model_saw_it(
    client: TestClient, trace: dict[str, Any], vit_folder: Path, picture_file: Path
) -> None:
    answer = client.get(f"/api/traces/{trace['id']}/picture")
    assert answer.headers["content-type"] == "image/png"
    surface = vitral.load(vit_folder).trace(picture_file).surface
    assert answer.content == surface.png
    assert Image.open(io.BytesIO(answer.content)).size == (32, 32)


def test_the_numbers_are_those_of_python(
    client: TestClient, trace: dict[str, Any], vit_folder: Path, picture_file: Path
) -> None:
    asked = {"address": "layers.1.attention.pattern", "head": 2}
    block = client.get(f"/api/traces/{trace['id']}/view", params=asked).content
    _, values = decode_block(block)
    expected = vitral.load(vit_folder).trace(picture_file).attention(1, 2).numpy()
    np.testing.assert_allclose(values, expected, atol=1e-7)


def test_the_same_picture_is_run_once(client: TestClient, trace: dict[str, Any]) -> None:
    content = io.BytesIO()
    drawn(90, 60).save(content, "PNG")
    again = send(client, content.getvalue()).json()
    assert (again["id"], again["seconds"]) == (trace["id"], trace["seconds"])
    other = send(client, content.getvalue(), name="otra.png").json()
    assert other["id"] != trace["id"]


def test_a_saved_picture_opens_again_and_goes_into_a_page(
    client: TestClient, trace: dict[str, Any]
) -> None:
    content = client.get(f"/api/traces/{trace['id']}/file").content
    opened = client.post("/api/trace-files", params={"name": "foto.vitral"}, content=content)
    assert opened.json()["surface"] == trace["surface"]
    picture = client.get(f"/api/traces/{opened.json()['id']}/picture").content
    assert picture == client.get(f"/api/traces/{trace['id']}/picture").content


@pytest.mark.parametrize(
    ("content", "asked", "status", "code"),
    [
        (b"", {}, 422, "picture_empty"),
        (b"El perro", {}, 422, "picture_unread"),
        (b"x" * (MOST + 1), {}, 413, "picture_upload_too_large"),
        (None, {"model": "small-bert"}, 422, "picture_to_text_model"),
        (None, {"model": "nadie"}, 404, "model_unknown"),
        (None, {"name": ""}, 422, "request_invalid"),
    ],
)
def test_what_is_refused_is_one_line(
    client: TestClient, picture_file: Path, content: Any, asked: Any, status: int, code: str
) -> None:
    answer = send(client, picture_file.read_bytes() if content is None else content, **asked)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert "\n" not in answer.json()["error"]["message"]


def test_a_picture_cut_short_asks_no_model(client: TestClient, picture_file: Path) -> None:
    answer = send(client, picture_file.read_bytes()[:200], model="small-bert")
    assert answer.json()["error"]["code"] == "picture_damaged"


def test_a_text_is_refused_by_a_model_of_pictures(client: TestClient) -> None:
    answer = client.post("/api/traces", json={"model": "small-vit", "text": "El gato duerme."})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "text_to_picture_model")


def test_the_trace_of_a_text_has_no_picture(client: TestClient) -> None:
    body = {"model": "small-bert", "text": "El gato duerme."}
    trace = client.post("/api/traces", json=body).json()
    assert trace["surface"] == {"kind": "text"}
    answer = client.get(f"/api/traces/{trace['id']}/picture")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_picture")


def test_questions_of_meaning_are_answered_or_refused_in_one_line(
    client: TestClient, trace: dict[str, Any]
) -> None:
    """No question that the page can ask of a trace ends in a fault of Studio."""
    start = f"/api/traces/{trace['id']}"
    answered = {
        f"{start}/heads": {},
        f"{start}/graph": {"kind": "rollout"},
        f"{start}/path": {"token": 3},
        f"{start}/arithmetic": {"layer": 0, "head": 1, "query": 2, "key": 3},
        f"{start}/strongest": {"layer": 0, "head": 1, "rows": "0:4", "most": 4},
        f"{start}/tokens": {},
        f"{start}/pooled": {},
    }
    refused = {
        f"{start}/predictions": {"token": 3},
        f"{start}/heads/constancy": {},
    }
    for path, params in answered.items():
        answer = client.get(path, params=params)
        assert answer.status_code in (200, 422), (path, answer.text)
        if answer.status_code == 422:
            assert answer.json()["error"]["code"] == "request_invalid", answer.text
    for path, params in refused.items():
        answer = client.get(path, params=params)
        code = answer.json()["error"]["code"]
        assert (answer.status_code, code) in (
            (422, "picture_needs_text"),
            (422, "text_to_picture_model"),
        )
    names = [each["name"] for each in client.get(f"{start}/heads").json()["measures"]]
    assert "previous" not in names
    assert "entropy" in names
