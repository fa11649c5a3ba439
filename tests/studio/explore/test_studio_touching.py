"""Touching over HTTP: the numbers are those of `model.edit()` and `vitral.difference`."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from starlette.testclient import TestClient

import vitral
from vitral.explain import prediction_change
from vitral.explain.mask_token import mask_id
from vitral.model import Model
from vitral.studio.rooms.explore.touching.schemas import MOST_EDITS
from vitral.studio.traces.blocks import decode_block

SEED = "El perro que persiguió al gato cruzó la calle."
EDITS: list[dict[str, Any]] = [
    {"kind": "silence", "layer": 0, "head": 3},
    {"kind": "weight", "layer": 1, "head": 2, "row": 4, "column": 2, "value": 0.75},
    {"kind": "weight", "layer": 1, "head": 2, "row": 4, "column": 5, "value": 0.125},
    {"kind": "blank", "token": 6},
]


@pytest.fixture(scope="module")
def bert(bert_folder: Path) -> Model:
    return vitral.load(str(bert_folder))


def touched(client: TestClient, path: str = "/api/touches", **body: Any) -> Any:
    asked = {"model": "small-bert", "text": SEED, "edits": EDITS} | body
    answer = client.post(path, json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def predicted(client: TestClient, **body: Any) -> Any:
    return touched(client, "/api/touches/prediction", **body)


def edited_trace(model: Model, **inputs: Any) -> Any:
    with model.edit() as edit:
        edit.silence(0, 3)
        edit.set_cell(1, 2, row=4, column=2, value=0.75)
        edit.set_cell(1, 2, row=4, column=5, value=0.125)
        edit.blank(6)
        return model.trace(**inputs)


def test_the_edited_patterns_are_those_of_edit(client: TestClient, bert: Model) -> None:
    trace = touched(client)
    expected = edited_trace(bert, text=SEED)
    for layer in range(3):
        for head in range(4):
            view = {"address": f"layers.{layer}.attention.pattern", "head": head}
            block = client.get(f"/api/traces/{trace['id']}/view", params=view).content
            _, values = decode_block(block)
            pattern = expected.attention(layer=layer, head=head).numpy()
            np.testing.assert_allclose(values, pattern, atol=1e-6)
    assert float(expected.attention(0, 3).abs().sum()) == 0
    assert float(expected.attention(1, 2)[4, 2]) == 0.75


def test_the_rest_of_a_row_makes_room_in_proportion(client: TestClient, bert: Model) -> None:
    trace = touched(client, edits=[EDITS[1], EDITS[2]])
    view = {"address": "layers.1.attention.pattern", "head": 2, "rows": "4:5"}
    _, values = decode_block(client.get(f"/api/traces/{trace['id']}/view", params=view).content)
    own = bert.trace(SEED).attention(1, 2)[4]
    rest = torch.ones_like(own).bool()
    rest[[2, 5]] = False
    expected = own * (1 - 0.875) / own[rest].sum()
    expected[2], expected[5] = 0.75, 0.125
    np.testing.assert_allclose(values[0], expected.numpy(), atol=1e-6)


def test_an_edited_trace_has_an_id_of_its_own(client: TestClient) -> None:
    plain = client.post("/api/traces", json={"model": "small-bert", "text": SEED}).json()
    assert touched(client, edits=[]) == plain
    first = touched(client)
    assert first["id"] != plain["id"]
    assert touched(client) == first  # the seconds too: it was not run again
    assert touched(client, edits=EDITS[:2])["id"] not in (first["id"], plain["id"])
    assert [token["text"] for token in first["tokens"]] == [t["text"] for t in plain["tokens"]]
    # The model is as it was.
    again = client.post("/api/traces", json={"model": "small-bert", "text": SEED + " "}).json()
    view = {"address": "layers.0.attention.pattern", "head": 3}
    _, values = decode_block(client.get(f"/api/traces/{again['id']}/view", params=view).content)
    np.testing.assert_allclose(values.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("masked", [False, True])
def test_the_prediction_is_that_of_prediction_change(
    client: TestClient, bert: Model, masked: bool
) -> None:
    found = predicted(client, place=5, masked=masked, count=7)
    ids = [token.id for token in bert.tokens(SEED)]
    if masked:
        ids[5] = mask_id(bert)
    before, after = bert.trace(ids=ids), edited_trace(bert, ids=ids)
    expected = prediction_change(before, after, bert, 5, count=7)
    assert (found["place"], found["masked"]) == (5, masked)
    assert found["moved"] == pytest.approx(expected.moved, rel=1e-3)
    assert found["moved"] > 1e-4
    assert found["divergence"] == pytest.approx(expected.divergence, rel=1e-2)
    for name in ("before", "after", "rose", "fell"):
        wanted = getattr(expected, name)
        assert [each["text"] for each in found[name]] == [each.text for each in wanted]
        for each, other in zip(found[name], wanted, strict=True):
            assert each["before"] == pytest.approx(other.before, rel=1e-4)
            assert each["after"] == pytest.approx(other.after, rel=1e-4)


def test_the_heads_that_moved_are_those_of_difference(client: TestClient, bert: Model) -> None:
    moved = vitral.difference(bert.trace(SEED), edited_trace(bert, text=SEED)).attention()
    moved[0, 3] = 0  # silenced: no news
    heads = predicted(client, place=1)["heads"]
    assert len(heads) == 5
    for rank, each in enumerate(heads):
        assert each["share"] == pytest.approx(float(moved.flatten().sort().values[-1 - rank]))
        assert each["share"] == pytest.approx(float(moved[each["layer"], each["head"]]))


def test_a_decoder_is_asked_for_what_comes_next(client: TestClient, llama_folder: Path) -> None:
    llama = vitral.load(str(llama_folder))
    edits = [{"kind": "blank", "token": 1}]
    found = predicted(client, model="small-llama", edits=edits)
    before = llama.trace(SEED)
    with llama.edit() as edit:
        edit.blank(1)
        after = llama.trace(SEED)
    assert found["place"] == len(before.tokens) - 1
    best = int(after["logits"][-1].argmax())
    assert found["after"][0]["id"] == best
    assert found["after"][0]["after"] == pytest.approx(
        float(after["logits"][-1].softmax(-1)[best]), rel=1e-4
    )


def test_without_edits_nothing_changes(client: TestClient) -> None:
    found = predicted(client, edits=[], place=2)
    assert (found["moved"], found["divergence"], found["heads"]) == (0, 0, [])
    assert found["before"] == found["after"]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        ({"kind": "silence", "layer": 9, "head": 0}, "layer_out_of_range"),
        ({"kind": "silence", "layer": 0, "head": 9}, "head_out_of_range"),
        ({"kind": "blank", "token": 99}, "edit_token_out_of_range"),
        ({"kind": "blank", "token": -1}, "request_invalid"),
        ({"kind": "weight", "layer": 0, "head": 0, "row": 1, "column": 1}, "request_invalid"),
        ({**EDITS[1], "value": 1.5}, "request_invalid"),
        ({**EDITS[1], "value": "NaN"}, "request_invalid"),
        ({**EDITS[1], "raw": True}, "request_invalid"),
        ({"kind": "patch", "address": "embed"}, "request_invalid"),
    ],
)
def test_what_cannot_be_done_is_one_clear_error(
    client: TestClient, edit: dict[str, Any], code: str
) -> None:
    for path in ("/api/touches", "/api/touches/prediction"):
        body = {"model": "small-bert", "text": SEED, "edits": [edit]}
        answer = client.post(path, json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)


def test_edits_are_bounded(client: TestClient) -> None:
    body = {"model": "small-bert", "text": SEED}
    many = [{"kind": "blank", "token": 1}] * (MOST_EDITS + 1)
    assert client.post("/api/touches", json=body | {"edits": many}).status_code == 422
    over = [EDITS[1], {**EDITS[2], "value": 0.5}]
    answer = client.post("/api/touches", json=body | {"edits": over})
    assert answer.json()["error"]["code"] == "edit_row_over_one"
    place = body | {"edits": [], "place": 999}
    for masked in (False, True):
        answer = client.post("/api/touches/prediction", json=place | {"masked": masked})
        assert answer.json()["error"]["code"] == "token_out_of_range"


def test_a_decoder_cannot_be_masked(client: TestClient) -> None:
    body = {"model": "small-llama", "text": SEED, "edits": [], "masked": True}
    answer = client.post("/api/touches/prediction", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "ablation_no_mask"
