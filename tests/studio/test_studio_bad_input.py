"""Every wrong request is answered with a code, its values and a sentence that says what to do."""

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from vitral.errors import VitralError
from vitral.studio.application import create_app
from vitral.studio.limits import Limits

Studio = Callable[..., TestClient]


def error_of(answer: Any, status: int) -> dict[str, Any]:
    """The error of an answer, after its form was checked."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "values", "message"}
    assert "Traceback" not in answer.text
    error: dict[str, Any] = body["error"]
    return error


def post(client: TestClient, text: str, model: str = "small-bert", language: str = "en") -> Any:
    return client.post(
        "/api/traces",
        json={"model": model, "text": text},
        headers={"accept-language": language},
    )


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_empty_text(client: TestClient, text: str) -> None:
    error = error_of(post(client, text, language="es-MX,es;q=0.9,en;q=0.5"), 422)
    assert error["code"] == "text_empty"
    assert error["message"] == "El texto está vacío: escribe al menos una palabra."


def test_text_longer_than_the_context_names_both_lengths(client: TestClient) -> None:
    error = error_of(post(client, "gato " * 100), 422)
    assert error["code"] == "text_too_long"
    fits = 5 * 62 - 1
    assert error["values"] == {"length": 102, "context": 64, "model": "small-bert", "fits": fits}
    assert "102" in error["message"]
    assert "64" in error["message"]


def test_unknown_model_names_those_there_are(client: TestClient) -> None:
    error = error_of(post(client, "El gato", model="gpt-9"), 404)
    assert error["code"] == "model_unknown"
    assert "small-bert" in error["values"]["known"]


@pytest.mark.parametrize("name", ["..", "/etc", "facebook/opt-125m", "../small-bert"])
def test_nothing_but_the_named_models_is_opened(client: TestClient, name: str) -> None:
    assert error_of(post(client, "El gato", model=name), 404)["code"] == "model_unknown"


def test_folder_without_config(tmp_path: Path) -> None:
    with pytest.raises(VitralError) as caught:
        create_app([str(tmp_path)])
    assert caught.value.key == "folder_without_config"


def test_pickled_weights_are_refused(tmp_path: Path, bert_folder: Path) -> None:
    shutil.copy(bert_folder / "config.json", tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(VitralError) as caught:
        create_app([str(tmp_path)])
    assert caught.value.key == "weights_pickled"
    assert "safetensors" in str(caught.value)


def test_hub_without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(VitralError) as caught:
        create_app(["somebody/some-model-that-is-not-here"])
    assert caught.value.key == "hub_unreachable"


@pytest.mark.parametrize("damage", ["cut", "header"])
def test_weights_damaged_after_the_start(
    open_studio: Studio, tmp_path: Path, bert_folder: Path, damage: str
) -> None:
    """And once they are repaired, the same Studio opens them."""
    folder = shutil.copytree(bert_folder, tmp_path / "damaged")
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    with open_studio(folder) as client:
        weights.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"\xff" * 64)
        error = error_of(post(client, "El gato", model="damaged", language="es"), 422)
        assert error["code"] == "weights_damaged"
        assert str(weights) in error["values"]["path"]
        weights.write_bytes(whole)
        assert post(client, "El gato", model="damaged").status_code == 200


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ({"address": "layers.9.attention.pattern", "head": 0}, 404, "address_unknown"),
        ({"address": "layers.0.attention.patern", "head": 0}, 404, "address_unknown"),
        ({"address": "layers.0.attention.pattern", "head": 4}, 422, "head_out_of_range"),
        ({"address": "layers.0.attention.pattern"}, 422, "head_needed"),
        ({"rows": "0:99"}, 422, "rows_out_of_range"),
        ({"columns": "5:5"}, 422, "columns_out_of_range"),
        ({"rows": "-1:4"}, 422, "view_range_wrong"),
        ({"rows": "abc"}, 422, "view_range_wrong"),
        ({"height": 0}, 422, "request_invalid"),
        ({"head": -1}, 422, "request_invalid"),
        ({"head": "x"}, 422, "request_invalid"),
        ({"reduction": "sum"}, 422, "request_invalid"),
        ({"address": "logits", "width": 70000}, 422, "view_too_large"),
    ],
)
def test_wrong_views(
    client: TestClient,
    seed_trace: dict[str, Any],
    parameters: dict[str, Any],
    status: int,
    code: str,
) -> None:
    asked = {"address": "layers.0.attention.pattern", "head": 0, **parameters}
    if code == "head_needed":
        del asked["head"]
    answer = client.get(f"/api/traces/{seed_trace['id']}/view", params=asked)
    assert error_of(answer, status)["code"] == code


def test_trace_that_is_gone(open_studio: Studio, bert_folder: Path) -> None:
    with open_studio(bert_folder, limits=Limits(store_traces=1)) as client:
        first = post(client, "El gato").json()["id"]
        assert client.get(f"/api/traces/{first}/pooled").status_code == 200
        post(client, "El perro")
        for path in ("pooled", "file", "view?address=logits"):
            error = error_of(client.get(f"/api/traces/{first}/{path}"), 404)
            assert error["code"] == "trace_gone"


def test_limits_of_the_text(open_studio: Studio, llama_folder: Path) -> None:
    limits = Limits(text_bytes=200, tokens=20, body_bytes=1000)
    with open_studio(llama_folder, limits=limits) as client:
        error = error_of(post(client, "ñ" * 101, model="small-llama"), 413)
        assert (error["code"], error["values"]) == (
            "text_over_bytes",
            {"length": 202, "limit": 200},
        )
        error = error_of(post(client, "gato " * 30, model="small-llama"), 422)
        assert error["code"] == "text_over_tokens"
        error = error_of(post(client, "a" * 2000, model="small-llama"), 413)
        assert (error["code"], error["values"]) == ("body_too_large", {"limit": 1000})


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"model": "small-bert", "text": "ni\xf1o"}', 400, "text_not_utf8"),
        (b'{"model": "small-bert", "text": "\\ud83d"}', 400, "text_not_utf8"),
        (b'{"model": "small-bert"', 422, "request_invalid"),
        (b'{"model": "small-bert"}', 422, "request_invalid"),
        (b'{"model": "small-bert", "text": 3}', 422, "request_invalid"),
        (b'{"model": "small-bert", "text": "a", "more": 1}', 422, "request_invalid"),
        (b"[" * 5000, 400, "request_invalid"),
        (b"", 422, "request_invalid"),
    ],
)
def test_bodies_that_are_no_request(
    client: TestClient, body: bytes, status: int, code: str
) -> None:
    headers = {"content-type": "application/json"}
    answer = client.post("/api/traces", content=body, headers=headers)
    assert error_of(answer, status)["code"] == code


def test_unknown_addresses(client: TestClient) -> None:
    assert error_of(client.get("/api/nothing"), 404)["code"] == "not_found"
    assert error_of(client.get("/assets/nothing.js"), 404)["code"] == "not_found"
    assert error_of(client.put("/api/traces"), 405)["code"] == "method_not_allowed"


def test_what_we_did_not_foresee_is_told_without_a_traceback(
    open_studio: Studio, tmp_path: Path, bert_folder: Path
) -> None:
    """A request that fails within: the store was taken away from under it."""
    with open_studio(bert_folder) as client:
        del client.app.state.session.store  # type: ignore[attr-defined]
        answer = post(client, "El gato", language="es")
        error = error_of(answer, 500)
        assert error["code"] == "internal"
        assert error["values"] == {}
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_too_much_work_at_once_is_refused(open_studio: Studio, bert_folder: Path) -> None:
    """One piece of work holds the only place; the next is sent away, and later served."""
    with open_studio(bert_folder, limits=Limits(workers=1, waiting=1)) as client:
        session = client.app.state.session  # type: ignore[attr-defined]
        with session.catalog.borrow("small-bert"):
            waiting = threading.Thread(target=post, args=(client, "El perro"))
            waiting.start()
            while session.workshop.num_pending == 0:
                threading.Event().wait(0.01)
            assert error_of(post(client, "El gato"), 503)["code"] == "studio_busy"
        waiting.join()
        assert post(client, "El gato").status_code == 200


def test_the_same_text_asked_for_at_once_runs_once(open_studio: Studio, bert_folder: Path) -> None:
    answers: list[Any] = []
    with open_studio(bert_folder) as client:
        threads = [
            threading.Thread(target=lambda: answers.append(post(client, "El gato").json()))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({json.dumps(answer, sort_keys=True) for answer in answers}) == 1


def test_messages_match_the_catalogues(client: TestClient) -> None:
    error = error_of(post(client, "", language="de"), 422)
    assert error["message"] == VitralError("text_empty").text("en")
