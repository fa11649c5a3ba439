"""Long texts: tokens as a block, tiles of a size, the strongest weights, what does not fit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from starlette.testclient import TestClient

import vitral
from vitral.explain import strongest_weights
from vitral.studio.limits import Limits
from vitral.studio.traces.blocks import decode_block
from vitral.studio.traces.length import fitting
from vitral.studio.traces.token_list import tokens_block
from vitral.tracing.token import Token

SEED = "El perro que persiguió al gato cruzó la calle."


def test_a_trace_is_found_again_by_its_id(client: TestClient, seed_trace: dict[str, Any]) -> None:
    assert client.get(f"/api/traces/{seed_trace['id']}").json() == seed_trace
    assert seed_trace["num_tokens"] == len(seed_trace["tokens"])
    gone = client.get("/api/traces/0123")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "trace_gone")


def read_tokens(data: bytes, text: str) -> list[Token]:
    """What the page makes of the block."""
    header, (ids, starts, ends) = decode_block(data)
    texts, special = header["texts"], set(header["special"])
    return [
        Token(
            int(ids[i]),
            texts.get(str(i), text[starts[i] : ends[i]]),
            None if starts[i] < 0 else int(starts[i]),
            None if ends[i] < 0 else int(ends[i]),
            i in special,
        )
        for i in range(len(ids))
    ]


@pytest.mark.parametrize("model", ["small-bert", "small-llama"])
def test_tokens_as_a_block(client: TestClient, model: str) -> None:
    text = "El pingüino 🐧 [MASK] cruzó Ω."
    trace = client.post("/api/traces", json={"model": model, "text": text}).json()
    block = client.get(f"/api/traces/{trace['id']}/tokens")
    assert block.headers["content-type"] == "application/octet-stream"
    found = read_tokens(block.content, text)
    listed = [
        Token(each["id"], each["text"], each["start"], each["end"], each["special"])
        for each in trace["tokens"]
    ]
    assert found == listed
    assert any(token.start is None for token in found) == (model == "small-bert")


def test_a_long_trace_lists_no_tokens(open_studio: Any, bert_folder: Path) -> None:
    with open_studio(bert_folder, limits=Limits(listed_tokens=5)) as client:
        body = {"model": "small-bert", "text": SEED}
        trace = client.post("/api/traces", json=body).json()
        expected = vitral.load(str(bert_folder)).tokens(SEED)
        assert (trace["tokens"], trace["num_tokens"]) == ([], len(expected))
        block = client.get(f"/api/traces/{trace['id']}/tokens").content
        assert read_tokens(block, SEED) == expected


def test_a_block_of_many_tokens_is_small() -> None:
    tokens = [Token(i % 400, "ab", 2 * i, 2 * i + 2) for i in range(50_000)]
    trace = vitral.Trace("made", "ab" * 50_000, tokens)
    assert len(tokens_block(trace)) < 12.1 * 50_000


def test_tiles_of_a_size(client: TestClient, seed_trace: dict[str, Any], bert_folder: Path) -> None:
    whole = vitral.load(str(bert_folder)).trace(SEED).attention(layer=1, head=2)
    part = {"address": "layers.1.attention.pattern", "head": 2, "rows": "2:9", "columns": "0:8"}

    def view(**more: Any) -> Any:
        return client.get(f"/api/traces/{seed_trace['id']}/view", params={**part, **more})

    header, values = decode_block(view(cell=4, reduction="max").content)
    assert header["aggregated"] is True
    blocks = [[whole[a:b, c:d].max() for c, d in ((0, 4), (4, 8))] for a, b in ((2, 6), (6, 9))]
    np.testing.assert_allclose(values, torch.tensor(blocks), atol=1e-6)
    header, values = decode_block(view(cell=1).content)
    assert header["aggregated"] is False
    np.testing.assert_allclose(values, whole[2:9, :8], atol=1e-6)
    for wrong in ({"cell": 0}, {"cell": 4, "rows": None}, {"cell": 4, "rows": "9:2"}):
        assert view(**wrong).status_code == 422


def test_tiles_have_their_limit(client: TestClient, seed_trace: dict[str, Any]) -> None:
    answer = client.get(
        f"/api/traces/{seed_trace['id']}/view",
        params={
            "address": "layers.1.attention.pattern",
            "head": 0,
            "rows": "0:2000",
            "columns": "0:2000",
            "cell": 2,
        },
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "view_too_large")


def test_the_strongest_weights(
    client: TestClient, seed_trace: dict[str, Any], bert_folder: Path
) -> None:
    trace = vitral.load(str(bert_folder)).trace(SEED)
    asked = {"layer": 2, "head": 3, "count": 7, "least_key": 1, "apart": 1}
    answer = client.get(f"/api/traces/{seed_trace['id']}/strongest", params=asked).json()
    expected = strongest_weights(trace, **asked)
    found = [(each["query"], each["key"]) for each in answer["weights"]]
    assert found == [(each.query, each.key) for each in expected]
    weights = [each["weight"] for each in answer["weights"]]
    assert weights == pytest.approx([each.weight for each in expected], rel=1e-6)
    for wrong in ({"head": 9}, {"layer": 5}, {"count": 0}, {"count": 5000}, {"apart": -1}):
        path = f"/api/traces/{seed_trace['id']}/strongest"
        assert client.get(path, params=asked | wrong).status_code == 422


@pytest.mark.parametrize("model", ["small-bert", "small-llama"])
def test_what_of_a_long_text_fits(client: TestClient, model: str) -> None:
    text = " ".join([SEED] * 20)
    refused = client.post("/api/traces", json={"model": model, "text": text}).json()["error"]
    assert refused["code"] == "text_too_long"
    context = {"small-bert": 64, "small-llama": 128}[model]
    assert refused["values"]["context"] == context
    assert refused["values"]["length"] > context
    shorter = text[: refused["values"]["fits"]]
    assert text[len(shorter)] == " " or shorter.endswith(".")
    trace = client.post("/api/traces", json={"model": model, "text": shorter}).json()
    assert context - 8 < trace["num_tokens"] <= context


def test_fitting_ends_between_words() -> None:
    places = [(0, 2), (3, 6), (6, 8), (9, 10)]  # four tokens; the second word has two
    tokens = [Token(1, "x" * (b - a), a, b) for a, b in places]
    assert fitting(tokens, 2) == 2
    assert fitting(tokens, 3) == 8
    assert fitting([Token(0, "[CLS]"), *tokens, Token(2, "[SEP]")], 4) == 2
    assert fitting([Token(0, "[CLS]"), *tokens, Token(2, "[SEP]")], 5) == 8
    assert fitting(tokens[1:3], 1) == 6  # one word alone: it is cut
    assert fitting(tokens, 0) == 0
