"""An encoder–decoder in the Studio: three attentions, and an answer read or written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import vitral
from vitral.explain import (
    arithmetic,
    attention_graph,
    candidates,
    logit_lens,
    measures,
    nearest_tokens,
    prediction_change,
    probabilities,
    repeated_trace,
    roles_elsewhere,
    word_paths,
)
from vitral.generation.spelling import spelled
from vitral.studio.application import create_app
from vitral.studio.limits import Limits
from vitral.studio.traces.blocks import decode_block
from vitral.tracing import difference

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
        "can_write": True,
    }
    given = trace_of(client, answer=ANSWER)
    expected = {"text": ANSWER, "given": True, "ended": True, "can_write": True}
    assert given["answer"] == expected
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


@pytest.mark.parametrize("part", list(SHAPES))
def test_the_heads_of_every_part(client: TestClient, bart: Any, part: str) -> None:
    found = trace_of(client, answer=ANSWER)
    heads = client.get(f"/api/traces/{found['id']}/heads", params={"part": part}).json()
    trace = bart.trace(TEXT, decoder_text=ANSWER)
    table = measures(trace, part, repeated=repeated_trace(bart))
    assert (heads["num_layers"], heads["num_heads"]) == SHAPES[part]
    assert heads["repeated"] is (part == "encoder")
    assert [each["name"] for each in heads["measures"]] == list(table)
    assert "previous" not in table if part == "cross" else "previous" in table
    for head in heads["heads"]:
        assert head["role"] == table.role(head["layer"], head["head"])
    elsewhere = client.get(f"/api/traces/{found['id']}/heads/constancy", params={"part": part})
    roles = roles_elsewhere(bart, part=part, repeated=repeated_trace(bart))
    same = roles.constancy(table) * len(roles.sentences)
    assert elsewhere.json()["same"] == same.round().long().tolist()


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_the_graph_within_each_text(client: TestClient, bart: Any, part: str) -> None:
    found = trace_of(client, answer=ANSWER)
    asked = {"part": part, "token": 3, "least": 0.05}
    graph = client.get(f"/api/traces/{found['id']}/graph", params=asked).json()
    trace = bart.trace(TEXT, decoder_text=ANSWER)
    expected = attention_graph(trace, 3, least=0.05, part=part)
    assert np.shape(graph["nodes"]) == (SHAPES[part][0] + 1, len(trace.query_tokens(part)))
    np.testing.assert_allclose(graph["nodes"], expected.nodes.numpy(), atol=1e-5)


def test_the_path_in_each_text(client: TestClient, bart: Any) -> None:
    found, other = trace_of(client, answer=ANSWER), trace_of(client, answer="La niña duerme.")
    first = bart.trace(TEXT, decoder_text=ANSWER)
    second = bart.trace(TEXT, decoder_text="La niña duerme.")
    for part in SHAPES:
        asked = {"part": part, "token": 2, "other": other["id"], "other_token": 2}
        path = client.get(f"/api/traces/{found['id']}/path", params=asked).json()
        expected = word_paths([first, second], [2, 2], part=part)
        assert [level["address"] for level in path["levels"]] == expected.levels
        near = nearest_tokens(first, 2, part=part)
        for level, pairs in zip(path["levels"], near, strict=True):
            assert [each["id"] for each in level["tokens"]] == [place for place, _ in pairs]
            texts = [first.query_tokens(part)[place].text for place, _ in pairs]
            assert [each["text"] for each in level["tokens"]] == texts
        assert len(path["paths"]) == len(first.query_tokens(part)) + len(second.query_tokens(part))


def test_the_answers_next_token(client: TestClient, bart: Any) -> None:
    found = trace_of(client, answer=ANSWER)
    trace = bart.trace(TEXT, decoder_text=ANSWER)
    asked = {"token": 3, "count": 5}
    said = client.get(f"/api/traces/{found['id']}/predictions", params=asked).json()
    best = candidates(probabilities(trace, 3), bart, 5)
    assert [each["id"] for each in said["candidates"]] == [each.id for each in best]
    assert (said["says"], said["can_blank"]) == ("next", False)
    assert said["expected"]["id"] == trace.decoder_tokens[4].id
    assert said["places"] == [token.text for token in trace.decoder_tokens]
    lens = logit_lens(trace, bart, [3]).softmax(-1)[:, 0]
    assert [row[0]["id"] for row in said["lens"]["candidates"]] == lens.argmax(-1).tolist()
    assert said["lens"]["levels"][0] == "decoder.embed"


@pytest.mark.parametrize(
    ("path", "part", "code"),
    [
        ("heads", "other", "part_unknown"),
        ("heads/constancy", "other", "part_unknown"),
        ("graph", "other", "part_unknown"),
        ("path", "other", "part_unknown"),
        ("graph", "cross", "measure_of_two_texts"),
    ],
)
def test_views_of_a_part_that_there_is_not(
    client: TestClient, path: str, part: str, code: str
) -> None:
    found = trace_of(client, answer=ANSWER)
    asked = {"part": part, "token": 1}
    answer = client.get(f"/api/traces/{found['id']}/{path}", params=asked)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)


EDITS: list[dict[str, Any]] = [
    {"kind": "silence", "part": "decoder", "layer": 1, "head": 0},
    {"kind": "weight", "part": "cross", "layer": 0, "head": 1, "row": 3, "column": 4, "value": 0.7},
    {"kind": "blank", "token": 5},
    {"kind": "blank", "of": "decoder_tokens", "token": 2},
]


@pytest.mark.parametrize("answer", [ANSWER, None])
def test_every_part_is_touched(client: TestClient, bart: Any, answer: str | None) -> None:
    body = {"model": "small-bart", "text": TEXT, "answer": answer, "edits": EDITS}
    found = client.post("/api/touches", json=body)
    assert found.status_code == 200, found.text
    if answer is None:  # the answer stays the one that the model writes without edits
        written = bart.trace_generation(TEXT, max_new_tokens=20)
        ids = [token.id for token in written.decoder_tokens]
        before = bart.trace(TEXT, decoder_ids=ids)
    else:
        before = bart.trace(TEXT, decoder_text=answer)
        ids = [token.id for token in before.decoder_tokens]
    with bart.edit() as edit:
        edit.silence(1, 0, part="decoder")
        edit.set_cell(0, 1, 3, 4, 0.7, part="cross")
        edit.blank(5, part="encoder")
        edit.blank(5, part="cross")
        edit.blank(2, part="decoder")
        after = bart.trace(TEXT, decoder_ids=ids)
    trace = found.json()
    assert [token["id"] for token in trace["decoder_tokens"]] == ids
    assert trace["answer"]["given"] is (answer is not None)
    for part in trace["parts"]:
        for layer in range(part["num_layers"]):
            address = part["address"].replace("{layer}", str(layer))
            for head in range(part["num_heads"]):
                asked = {"address": address, "head": head}
                block = client.get(f"/api/traces/{trace['id']}/view", params=asked).content
                expected = after.attention(layer, head, part["name"]).numpy()
                np.testing.assert_allclose(decode_block(block)[1], expected, atol=1e-6)
    assert float(after.attention(0, 1, "cross")[3, 4]) == pytest.approx(0.7)
    assert not after.attention(0, 0, "cross")[:, 5].any()
    said = client.post("/api/touches/prediction", json={**body, "place": 3}).json()
    change = prediction_change(before, after, bart, 3)
    assert said["moved"] == pytest.approx(change.moved, rel=1e-3)
    assert [each["id"] for each in said["rose"]] == [each.id for each in change.rose]
    moved = {
        (part, layer, head): share
        for part in SHAPES
        for layer, row in enumerate(difference(before, after).attention(part).tolist())
        for head, share in enumerate(row)
        if (part, layer, head) != ("decoder", 1, 0)
    }
    assert len(said["heads"]) == 5
    for each in said["heads"]:
        place = (each["part"], each["layer"], each["head"])
        assert each["share"] == pytest.approx(moved[place], rel=1e-3)
    assert said["heads"][0]["share"] == pytest.approx(max(moved.values()), rel=1e-3)


def test_an_edit_that_finds_no_place_is_refused(client: TestClient) -> None:
    for edit, code in (
        ({"kind": "silence", "part": "other", "layer": 0, "head": 0}, "part_unknown"),
        ({"kind": "silence", "part": "decoder", "layer": 2, "head": 0}, "layer_out_of_range"),
        ({"kind": "blank", "of": "decoder_tokens", "token": 99}, "edit_token_out_of_range"),
    ):
        body = {"model": "small-bart", "text": TEXT, "answer": ANSWER, "edits": [edit]}
        answer = client.post("/api/touches", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
    body = {"model": "small-bert", "text": TEXT, "edits": [EDITS[3]]}
    answer = client.post("/api/touches", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "part_single")
