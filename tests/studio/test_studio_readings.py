"""Traces that are read in another way, through the API: the numbers are those of `Trace.read`."""

from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from vitral.studio.limits import Limits
from vitral.studio.traces.blocks import decode_block


@pytest.mark.parametrize("name", ["no-rest", "words", "no-rest~words", "no-rest~heads-0.2"])
def test_every_question_is_answered_as_it_is_read(
    client: TestClient, seed_trace: dict[str, Any], name: str
) -> None:
    from vitral.tracing.readings.reading import Reading

    key = f"{seed_trace['id']}~{name}"
    assert client.get(f"/api/traces/{key}/pooled").status_code == 404  # not read before
    described = client.get(f"/api/traces/{key}").json()
    trace = client.app.state.session.store.get(seed_trace["id"]).trace
    asked = Reading.of_name(name)
    read = trace.read(resting=asked.resting, words=asked.words, heads=asked.heads)
    assert described["id"] == key
    assert described["reading"] == name
    assert described["exactness"] == seed_trace["exactness"]
    assert [token["text"] for token in described["tokens"]] == [t.text for t in read.tokens]
    assert described["parts"][0]["computed"] is False
    assert described["num_heads"] == read.num_heads
    where = {"address": "layers.1.attention.pattern", "head": 0}
    _, values = decode_block(client.get(f"/api/traces/{key}/view", params=where).content)
    assert values == pytest.approx(read.attention(1, 0).numpy(), abs=1e-6)
    header, small = decode_block(client.get(f"/api/traces/{key}/pooled").content)
    scale = np.array(header["scale"])[:, :, None, None]
    size = min(24, len(read.tokens))
    assert small / 255 * scale == pytest.approx(read.pooled(size).numpy(), abs=2e-3)
    most = client.get(f"/api/traces/{key}/strongest", params={"layer": 1, "head": 0, "count": 1})
    assert most.json()["weights"][0]["weight"] == pytest.approx(float(read.attention(1, 0).max()))
    graph = client.get(f"/api/traces/{key}/graph", params={"token": 2}).json()
    assert len(graph["nodes"][0]) == len(read.tokens)
    assert sum(graph["nodes"][0]) == pytest.approx(1, abs=1e-4)
    for other in ("path?token=1", "file"):
        assert client.get(f"/api/traces/{key}/{other}").status_code == 422


def test_mistakes_are_told(
    client: TestClient, seed_trace: dict[str, Any], open_studio: Any
) -> None:
    def code(key: str) -> str:
        return str(client.get(f"/api/traces/{key}").json()["error"]["code"])

    assert code(f"{seed_trace['id']}~sideways") == "reading_unknown"
    assert code(f"{seed_trace['id']}~heads-99") == "head_out_of_range"
    assert code("0" * 32 + "~words") == "trace_gone"


def test_a_long_text_is_refused_with_the_limit(open_studio: Any, bert_folder: Any) -> None:
    with open_studio(bert_folder, limits=Limits(reading_tokens=4)) as client:
        trace = client.post("/api/traces", json={"model": "small-bert", "text": "uno dos tres"})
        answer = client.get(f"/api/traces/{trace.json()['id']}~words").json()["error"]
        assert answer["code"] == "reading_too_long"
        assert answer["values"]["limit"] == 4
