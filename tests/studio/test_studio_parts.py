"""An encoder–decoder in the Studio: three attentions, and an answer read or written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import vitral
from vitral.explain import arithmetic
from vitral.generation.spelling import spelled
from vitral.studio.application import create_app
from vitral.studio.blocks import decode_block
from vitral.studio.limits import Limits

TEXT = "El perro que persiguió al gato cruzó la calle."
ANSWER = "La niña lee un libro."
SHAPES = {"encoder": (3, 4), "decoder": (2, 2), "cross": (2, 2)}


@pytest.fixture(scope="module")
def client(bart_folder: Path, bert_folder: Path) -> Iterator[TestClient]:
    app = create_app([str(bart_folder), str(bert_folder)], limits=Limits(answer_tokens=20))
    with TestClient(app, base_url="http://127.0.0.1:8321") as started:
        yield started


@pytest.fixture(scope="module")
def bart(bart_folder: Path) -> Any:
    return vitral.load(str(bart_folder))


def trace_of(client: TestClient, **more: str) -> dict[str, Any]:
    body = {"model": "small-bart", "text": TEXT, **more}
    answer = client.post("/api/traces", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_every_part_gives_its_own_numbers(client: TestClient, bart: Any) -> None:
    found = trace_of(client, answer=ANSWER)
    trace = bart.trace(TEXT, decoder_text=ANSWER)
    assert [part["name"] for part in found["parts"]] == list(SHAPES)
    assert [token["text"] for token in found["decoder_tokens"]] == [
        token.text for token in trace.decoder_tokens
    ]
    for part in found["parts"]:
        layers, heads = part["num_layers"], part["num_heads"]
        assert (layers, heads) == SHAPES[part["name"]]
        assert part["causal"] is (part["name"] == "decoder")
        header, maps = decode_block(
            client.get(f"/api/traces/{found['id']}/pooled", params={"part": part["name"]}).content
        )
        sides = (len(found[part["queries"]]), len(found[part["keys"]]))
        assert maps.shape == (layers, heads, *sides)
        assert header["aggregated"] is False
        for layer in range(layers):
            for head in range(heads):
                asked = {"address": part["address"].replace("{layer}", str(layer)), "head": head}
                block = client.get(f"/api/traces/{found['id']}/view", params=asked).content
                expected = trace.attention(layer, head, part["name"]).numpy()
                np.testing.assert_allclose(decode_block(block)[1], expected, atol=1e-6)
                scale = header["scale"][layer][head]
                assert np.abs(maps[layer, head] / 255 * scale - expected).max() <= scale / 500


def test_the_arithmetic_of_a_weight_between_two_texts(client: TestClient, bart: Any) -> None:
    found = trace_of(client, answer=ANSWER)
    trace = bart.trace(TEXT, decoder_text=ANSWER)
    cell = {"part": "cross", "layer": 1, "head": 1, "query": 3, "key": 8}
    told = client.get(f"/api/traces/{found['id']}/arithmetic", params=cell).json()
    expected = arithmetic(trace, layer=1, head=1, query=3, key=8, part="cross")
    assert told["part"] == "cross"
    assert told["weight"] == pytest.approx(expected.weight, abs=1e-6)
    assert told["weight"] == pytest.approx(float(trace.attention(1, 1, "cross")[3, 8]), abs=1e-6)
    assert len(told["weights"]) == len(found["tokens"]) != len(found["decoder_tokens"])


def test_the_model_answers_itself_where_no_answer_is_given(client: TestClient, bart: Any) -> None:
    found = trace_of(client)
    written = bart.trace_generation(TEXT, max_new_tokens=20)
    assert [token["id"] for token in found["decoder_tokens"]] == [
        token.id for token in written.decoder_tokens
    ]
    assert found["answer"] == {
        "text": spelled(
            bart.tokenizer, [token.id for token in written.decoder_tokens if not token.special]
        ),
        "given": False,
        "ended": written.decoder_tokens[-1].text == "[SEP]",
    }
    given = trace_of(client, answer=ANSWER)
    assert given["answer"] == {"text": ANSWER, "given": True, "ended": True}
    assert given["id"] != found["id"]
    assert trace_of(client) == found  # kept: it was not run again


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"model": "small-bert", "text": TEXT, "answer": ANSWER}, "answer_unread"),
        ({"model": "small-bart", "text": TEXT, "answer": " \n"}, "text_empty"),
        ({"model": "small-bart", "text": "gato " * 80}, "text_too_long"),
        ({"model": "small-bart", "text": TEXT, "answer": "gato " * 80}, "text_too_long"),
        ({"model": "small-bart", "text": TEXT, "answer": "gato " * 9000}, "text_too_long"),
    ],
)
def test_what_is_wrong_is_said(client: TestClient, body: dict[str, str], code: str) -> None:
    answer = client.post("/api/traces", json=body)
    assert answer.status_code in (413, 422)
    assert answer.json()["error"]["code"] == code


def test_a_part_that_is_not_there(client: TestClient) -> None:
    found = trace_of(client)
    path = f"/api/traces/{found['id']}"
    for address in (
        "/pooled?part=",
        "/page?part=x",
        "/arithmetic?part=x&layer=0&head=0&query=0&key=0",
    ):
        answer = client.get(path + address)
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "part_unknown", address
    assert client.get(path).json() == found
    assert client.get("/api/traces/" + "0" * 32).json()["error"]["code"] == "trace_gone"
