"""The API gives the numbers that the model gives, in the form that the page expects."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import vitral
from vitral.studio.traces.blocks import decode_block

SEED = "El perro que persiguió al gato cruzó la calle."


def test_studio_lists_the_models_in_the_readers_language(client: TestClient) -> None:
    studio = client.get("/api/studio").json()
    assert studio["version"] == vitral.__version__
    assert studio["default_model"] == "small-bert"
    assert studio["default_text"] == SEED
    assert studio["max_text_bytes"] == 2 * 2**20
    assert studio["max_tokens"] == 131_072
    named = {model["name"]: model for model in studio["models"] if not model["bundled"]}
    assert named["small-bert"] == {
        "reads": "text",
        "name": "small-bert",
        "title": "small-bert",
        "kind": "encoder",
        "num_layers": 3,
        "num_heads": 4,
        "context": 64,
        "architecture": "BertForMaskedLM",
        "bundled": False,
        "chats": False,
    }
    assert named["small-llama"]["kind"] == "decoder"
    assert named["small-llama"]["context"] == 128


def test_trace_tells_tokens_with_their_places(seed_trace: dict[str, Any]) -> None:
    assert seed_trace["model"] == "small-bert"
    assert seed_trace["text"] == SEED
    assert (seed_trace["num_layers"], seed_trace["num_heads"]) == (3, 4)
    assert seed_trace["causal"] is False
    assert seed_trace["seconds"] > 0
    tokens = seed_trace["tokens"]
    assert tokens[0] == {"id": 2, "text": "[CLS]", "start": None, "end": None, "special": True}
    assert all(
        token["text"] == SEED[token["start"] : token["end"]]
        for token in tokens
        if not token["special"]
    )
    assert seed_trace["pooled_size"] == min(24, len(tokens))


def test_decoder_is_causal(client: TestClient) -> None:
    body = {"model": "small-llama", "text": "La niña lee un libro."}
    assert client.post("/api/traces", json=body).json()["causal"] is True


def test_the_same_request_has_the_same_id_and_is_not_run_again(
    client: TestClient, seed_trace: dict[str, Any]
) -> None:
    body = {"model": "small-bert", "text": SEED}
    again = client.post("/api/traces", json=body).json()
    assert again == seed_trace  # the seconds too: it was not run again
    other = client.post("/api/traces", json={**body, "text": SEED + " "}).json()
    assert other["id"] != seed_trace["id"]


def test_view_is_the_pattern_itself(
    client: TestClient, seed_trace: dict[str, Any], bert_folder: Path
) -> None:
    trace = vitral.load(str(bert_folder)).trace(SEED)
    for layer in range(3):
        for head in range(4):
            address = f"layers.{layer}.attention.pattern"
            answer = client.get(
                f"/api/traces/{seed_trace['id']}/view", params={"address": address, "head": head}
            )
            assert answer.headers["content-type"] == "application/octet-stream"
            header, values = decode_block(answer.content)
            assert header["aggregated"] is False
            assert values.dtype == np.float32
            expected = trace.attention(layer=layer, head=head).numpy()
            np.testing.assert_allclose(values, expected, atol=1e-6)


def test_view_of_a_single_row_and_of_reduced_cells(
    client: TestClient, seed_trace: dict[str, Any]
) -> None:
    def view(**parameters: Any) -> tuple[Any, Any]:
        answer = client.get(
            f"/api/traces/{seed_trace['id']}/view",
            params={"address": "layers.2.attention.pattern", "head": 1, **parameters},
        )
        assert answer.status_code == 200, answer.text
        return decode_block(answer.content)

    _, whole = view()
    size = len(whole)
    header, row = view(rows="3:4", columns=f"0:{size}", height=1, width=4096)
    assert (header["rows"], header["columns"]) == ([3, 4], [0, size])
    np.testing.assert_allclose(row, whole[3:4], rtol=1e-5)
    header, mean = view(height=1, width=1)
    assert header["aggregated"] is True
    np.testing.assert_allclose(mean, [[whole.mean()]], rtol=1e-5)
    header, largest = view(height=1, width=1, reduction="max")
    assert header["reduction"] == "max"
    np.testing.assert_allclose(largest, [[whole.max()]], rtol=1e-5)


def test_view_of_what_is_no_pattern(client: TestClient, seed_trace: dict[str, Any]) -> None:
    answer = client.get(
        f"/api/traces/{seed_trace['id']}/view", params={"address": "layers.1.residual.post"}
    )
    header, values = decode_block(answer.content)
    assert values.shape == (len(seed_trace["tokens"]), 32)
    assert header["address"] == "layers.1.residual.post"


@pytest.mark.parametrize("text", [SEED, "El gato. " * 9])
def test_pooled_maps_are_within_half_a_step(
    client: TestClient, llama_folder: Path, text: str
) -> None:
    body = {"model": "small-llama", "text": text}
    described = client.post("/api/traces", json=body).json()
    answer = client.get(f"/api/traces/{described['id']}/pooled")
    header, values = decode_block(answer.content)
    trace = vitral.load(str(llama_folder)).trace(text)
    side = described["pooled_size"]
    assert values.dtype == np.uint8
    assert values.shape == (2, 4, side, side)
    assert header["aggregated"] is (len(trace.tokens) > 24)
    scale = np.array(header["scale"])
    restored = values / 255 * scale[:, :, None, None]
    expected = trace.pooled(24).numpy()
    assert np.abs(restored - expected).max() <= scale.max() / 510 + 1e-6


def test_file_is_a_trace_that_opens(
    client: TestClient, seed_trace: dict[str, Any], tmp_path: Path
) -> None:
    answer = client.get(f"/api/traces/{seed_trace['id']}/file")
    assert "small-bert-" in answer.headers["content-disposition"]
    path = tmp_path / "trace.safetensors"
    path.write_bytes(answer.content)
    opened = vitral.open_trace(path)
    assert opened.text == SEED
    assert [token.text for token in opened.tokens] == [
        token["text"] for token in seed_trace["tokens"]
    ]


def test_schema_is_published(client: TestClient) -> None:
    schema = client.get("/api/openapi.json").json()
    assert set(schema["paths"]) >= {
        "/api/studio",
        "/api/queue/{ticket}",
        "/api/touches",
        "/api/touches/prediction",
        "/api/traces",
        "/api/trace-files",
        "/api/traces/{trace_id}",
        "/api/traces/{trace_id}/page",
        "/api/traces/{trace_id}/tokens",
        "/api/traces/{trace_id}/strongest",
        "/api/traces/{trace_id}/pooled",
        "/api/traces/{trace_id}/view",
        "/api/traces/{trace_id}/arithmetic",
        "/api/traces/{trace_id}/query-key",
        "/api/traces/{trace_id}/file",
        "/api/traces/{trace_id}/heads",
        "/api/traces/{trace_id}/heads/constancy",
        "/api/traces/{trace_id}/graph",
        "/api/traces/{trace_id}/path",
        "/api/traces/{trace_id}/predictions",
    }
    assert {"Studio", "Trace", "Token", "ErrorBody"} <= set(schema["components"]["schemas"])


def test_arithmetic_tells_how_a_weight_came_about(
    client: TestClient, seed_trace: dict[str, Any]
) -> None:
    asked = {"layer": 1, "head": 2, "query": 3, "key": 4}
    found = client.get(f"/api/traces/{seed_trace['id']}/arithmetic", params=asked).json()
    view = {"address": "layers.1.attention.pattern", "head": 2, "rows": "3:4"}
    block = client.get(f"/api/traces/{seed_trace['id']}/view", params=view).content
    _, weights = decode_block(block)
    assert found["weights"] == pytest.approx(weights[0].tolist(), abs=1e-6)
    assert found["weight"] == pytest.approx(float(weights[0, 4]), abs=1e-6)
    assert sum(found["products"]) == pytest.approx(found["dot"], abs=1e-5)
    assert found["dot"] * found["scaling"] == pytest.approx(found["score"], abs=1e-5)
    assert found["latex"].startswith("\\begin{aligned}")
    assert "weight = exp(score)" in found["python"]
    gone = client.get(f"/api/traces/{seed_trace['id']}/arithmetic", params=asked | {"key": 99})
    assert gone.status_code == 422
    assert gone.json()["error"]["code"] == "token_out_of_range"
    lacking = client.get(f"/api/traces/{seed_trace['id']}/arithmetic", params={"layer": 0})
    assert lacking.status_code == 422


def test_a_decoders_arithmetic_leaves_out_what_it_cannot_see(client: TestClient) -> None:
    body = {"model": "small-llama", "text": "La niña lee un libro."}
    trace = client.post("/api/traces", json=body).json()["id"]
    asked = {"layer": 0, "head": 0, "query": 2, "key": 1}
    scores = client.get(f"/api/traces/{trace}/arithmetic", params=asked).json()["scores"]
    assert None not in scores[:3]
    assert set(scores[3:]) == {None}


def test_a_query_beside_some_keys(client: TestClient, seed_trace: dict[str, Any]) -> None:
    address = f"/api/traces/{seed_trace['id']}/query-key"
    asked: dict[str, Any] = {"layer": 1, "head": 2, "query": 3, "keys": "4,0"}
    header, vectors = decode_block(client.get(address, params=asked).content)
    one = {"layer": 1, "head": 2, "query": 3, "key": 4}
    found = client.get(f"/api/traces/{seed_trace['id']}/arithmetic", params=one).json()
    assert vectors.shape == (3, len(found["q"]))
    assert vectors[0].tolist() == found["q"]
    assert vectors[1].tolist() == found["k"]
    assert header["keys"] == [4, 0]
    assert header["scores"] == pytest.approx([found["scores"][4], found["scores"][0]])
    assert header["weights"] == pytest.approx([found["weights"][4], found["weights"][0]])
    assert header["scaling"] == found["scaling"]
    for wrong in ("", "4,", "a", "-1", ",".join(["1"] * 129)):
        refused = client.get(address, params=asked | {"keys": wrong})
        assert refused.status_code == 422, wrong
        assert refused.json()["error"]["code"] == "keys_unreadable"
    beyond = client.get(address, params=asked | {"keys": "99"})
    assert beyond.json()["error"]["code"] == "token_out_of_range"
