"""The views of a whole text have the numbers that Python gives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from starlette.testclient import TestClient

import vitral
from vitral.explain import (
    MEASURES,
    attention_graph,
    blanked,
    candidates,
    logit_lens,
    measures,
    nearest_tokens,
    nearest_words,
    path_cosines,
    probabilities,
    repeated_trace,
    roles_elsewhere,
    word_paths,
)
from vitral.model import Model
from vitral.studio.rooms.explore.explaining.limits import FLOW_PIPES, LENS_PLACES, PATHS_DRAWN

SEED = "El perro que persiguió al gato cruzó la calle."
OTHER = "El gato dormía en la calle."


@pytest.fixture(scope="module")
def bert(bert_folder: Path) -> Model:
    return vitral.load(str(bert_folder))


@pytest.fixture(scope="module")
def llama(llama_folder: Path) -> Model:
    return vitral.load(str(llama_folder))


def post(client: TestClient, text: str, model: str = "small-bert") -> dict[str, Any]:
    answer = client.post("/api/traces", json={"model": model, "text": text})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def get(client: TestClient, trace: dict[str, Any], path: str, **query: Any) -> Any:
    answer = client.get(f"/api/traces/{trace['id']}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(client: TestClient, trace: dict[str, Any], path: str, **query: Any) -> str:
    answer = client.get(f"/api/traces/{trace['id']}/{path}", params=query)
    assert answer.status_code == 422, answer.text
    code: str = answer.json()["error"]["code"]
    return code


@pytest.mark.parametrize("language", ["es", "en"])
def test_heads_are_those_of_the_command(
    client: TestClient, seed_trace: dict[str, Any], bert: Model, language: str
) -> None:
    answer = client.get(
        f"/api/traces/{seed_trace['id']}/heads", headers={"Accept-Language": language}
    )
    found = answer.json()
    table = measures(bert.trace(SEED), repeated=repeated_trace(bert), model=bert)
    assert (found["num_layers"], found["num_heads"], found["repeated"]) == (3, 4, True)
    assert [each["name"] for each in found["measures"]] == list(MEASURES)
    assert found["measures"][0]["sentence"] == MEASURES["entropy"].sentence(language)
    assert len(found["heads"]) == 12
    for head in found["heads"]:
        place = (head["layer"], head["head"])
        assert head["role"] == table.role(*place)
        assert head["sentence"] == table.sentence(*place, language)
        assert head["idle"] == (head["role"] == "idle")
        for name, value in table.of(*place).items():
            assert head["values"][name] == pytest.approx(value, abs=1e-6)


def test_what_heads_write_is_pythons(
    client: TestClient, seed_trace: dict[str, Any], bert: Model
) -> None:
    found = get(client, seed_trace, "heads/writes")["writes"]
    expected = MEASURES["writes"](bert.trace(SEED), None, bert)
    assert np.array(found) == pytest.approx(expected.numpy(), abs=1e-5)


def test_constancy_counts_sentences(
    client: TestClient, seed_trace: dict[str, Any], bert: Model
) -> None:
    found = get(client, seed_trace, "heads/constancy")
    repeated = repeated_trace(bert)
    elsewhere = roles_elsewhere(bert, repeated=repeated)
    table = measures(bert.trace(SEED), repeated=repeated, model=bert)
    assert found["sentences"] == elsewhere.sentences
    assert len(found["sentences"]) + found["num_too_long"] == 12
    expected = elsewhere.constancy(table) * len(elsewhere.sentences)
    assert found["same"] == expected.round().long().tolist()


@pytest.mark.parametrize("kind", ["attention", "rollout", "flow"])
def test_the_graph_is_the_one_of_python(
    client: TestClient, seed_trace: dict[str, Any], bert: Model, kind: Any
) -> None:
    found = get(client, seed_trace, "graph", token=3, kind=kind, least=0.05)
    expected = attention_graph(bert.trace(SEED), 3, kind, least=0.05)
    assert found["num_edges"] == expected.num_edges > 0
    assert found["source"] == expected.source
    torch.testing.assert_close(torch.tensor(found["nodes"]), expected.nodes, atol=1e-5, rtol=1e-4)
    weights = {(e["layer"], e["query"], e["key"]): e["weight"] for e in found["edges"]}
    assert weights == pytest.approx({edge[:3]: edge[3] for edge in expected.edges}, abs=1e-5)


def test_one_head_of_the_graph(client: TestClient, seed_trace: dict[str, Any], bert: Model) -> None:
    found = get(client, seed_trace, "graph", token=3, kind="attention", layer=2, head=1)
    pattern = bert.trace(SEED).attention(2, 1)
    for edge in found["edges"]:
        if edge["layer"] == 2:
            assert edge["weight"] == pytest.approx(float(pattern[3, edge["key"]]), abs=1e-6)
    assert refused(client, seed_trace, "graph", token=3, layer=2) == "graph_option"
    assert refused(client, seed_trace, "graph", token=3, layer=2, head=1) == "graph_option"
    assert refused(client, seed_trace, "graph", token=99) == "token_out_of_range"
    assert refused(client, seed_trace, "graph", token=3, kind="other") == "request_invalid"


def test_flow_over_a_long_text_is_refused(client: TestClient) -> None:
    long = post(client, "El gato. " * 25, "small-llama")
    assert 2 * len(long["tokens"]) ** 2 > FLOW_PIPES
    assert refused(client, long, "graph", token=3, kind="flow") == "flow_too_large"
    assert get(client, long, "graph", token=3)["num_edges"] > 0


@pytest.mark.parametrize("name", ["small-bert", "small-llama"])
def test_a_path_beside_another(client: TestClient, bert: Model, llama: Model, name: str) -> None:
    model = {"small-bert": bert, "small-llama": llama}[name]
    one, two = post(client, SEED, name), post(client, OTHER, name)
    first, second = model.trace(SEED), model.trace(OTHER)
    found = get(client, one, "path", token=3, other=two["id"], other_token=2)
    expected = word_paths([first, second], [3, 2])
    assert found["explained"] == pytest.approx(expected.explained, abs=1e-5)
    assert [level["address"] for level in found["levels"]] == expected.levels
    assert [level["cosine"] for level in found["levels"]] == pytest.approx(
        path_cosines(first, 3, second, 2).tolist(), abs=1e-5
    )
    near, words = nearest_tokens(first, 3), nearest_words(first, model, 3)
    for level, tokens, ids in zip(found["levels"], near, words, strict=True):
        assert [each["id"] for each in level["tokens"]] == [place for place, _ in tokens]
        assert [each["id"] for each in level["words"]] == [number for number, _ in ids]
        assert level["words"][0]["cosine"] == pytest.approx(ids[0][1], abs=1e-5)
    assert len(found["paths"]) == len(first.tokens) + len(second.tokens)
    for path in found["paths"]:
        points = expected.points[path["text"]][:, path["token"]]
        torch.testing.assert_close(torch.tensor(path["points"]), points, atol=1e-3, rtol=1e-3)


def test_a_path_alone_and_in_a_long_text(client: TestClient, llama: Model) -> None:
    long = post(client, "El gato. " * 25, "small-llama")
    assert len(long["tokens"]) > PATHS_DRAWN
    found = get(client, long, "path", token=3, together=True, directions=True)
    expected = word_paths([llama.trace("El gato. " * 25)], directions=True)
    assert found["explained"] == pytest.approx(expected.explained, abs=1e-5)
    assert (found["all_drawn"], len(found["paths"])) == (False, 1)
    assert found["levels"][0]["cosine"] is None
    other = post(client, SEED)
    assert refused(client, long, "path", token=3, other=other["id"]) == "paths_differ"
    gone = client.get(f"/api/traces/{long['id']}/path", params={"token": 3, "other": "0" * 32})
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "trace_gone")


@pytest.mark.parametrize(
    ("name", "blank"), [("small-bert", False), ("small-bert", True), ("small-llama", False)]
)
def test_predictions_are_the_models_own(
    client: TestClient, bert: Model, llama: Model, name: str, blank: bool
) -> None:
    model = {"small-bert": bert, "small-llama": llama}[name]
    trace = model.trace(SEED)
    asked = blanked(trace, model, 4) if blank else trace
    found = get(client, post(client, SEED, name), "predictions", token=4, blank=blank, count=5)
    said = probabilities(asked, 4)
    best = candidates(said, model, 5)
    assert [each["id"] for each in found["candidates"]] == [each.id for each in best]
    assert [each["text"] for each in found["candidates"]] == [each.text for each in best]
    assert [each["probability"] for each in found["candidates"]] == pytest.approx(
        [each.probability for each in best], abs=1e-6
    )
    assert found["says"] == ("here" if name == "small-bert" else "next")
    assert found["can_blank"] is (name == "small-bert")
    wanted = trace.tokens[4 if name == "small-bert" else 5].id
    assert found["expected"]["id"] == wanted
    assert found["expected"]["probability"] == pytest.approx(float(said[wanted]), abs=1e-6)
    assert found["expected"]["rank"] == 1 + int((said > said[wanted]).sum())
    assert found["entropy"] == pytest.approx(float(-(said * said.log2()).sum()), abs=1e-3)
    first, length = found["lens"]["first"], len(trace.tokens)
    places = list(range(first, min(length, first + LENS_PLACES)))
    lens = logit_lens(asked, model, places).softmax(-1)
    assert 4 in places
    assert len(found["lens"]["levels"]) == model.num_layers + 1
    for level, row in enumerate(found["lens"]["cells"]):
        assert [cell["id"] for cell in row] == lens[level].argmax(-1).tolist()
        assert [cell["probability"] for cell in row] == pytest.approx(
            lens[level].amax(-1).tolist(), abs=1e-5
        )
        here = lens[level, 4 - places[0]]
        assert [each["probability"] for each in found["lens"]["candidates"][level]] == (
            pytest.approx(here.topk(5).values.tolist(), abs=1e-5)
        )
        assert found["lens"]["expected"][level]["probability"] == pytest.approx(
            float(here[wanted]), abs=1e-5
        )


def test_predictions_that_there_are_none_of(client: TestClient) -> None:
    trace = post(client, SEED, "small-llama")
    last = len(trace["tokens"]) - 1
    assert get(client, trace, "predictions", token=last)["expected"] is None
    assert refused(client, trace, "predictions", token=last + 1) == "token_out_of_range"
    assert refused(client, trace, "predictions", token=1, blank=True) == "no_mask_token"
    assert refused(client, trace, "predictions", token=1, count=51) == "request_invalid"


def test_a_model_without_a_head_says_so(open_studio: Any, tmp_path: Path) -> None:
    from tokenizers import Tokenizer
    from transformers import BertConfig, BertModel

    from vitral.models.catalog import bundled_folder

    source = bundled_folder("vitral-es-bert") / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(source))
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(tmp_path / "bare")
    (tmp_path / "bare" / "tokenizer.json").write_bytes(source.read_bytes())
    with open_studio(tmp_path / "bare") as client:
        trace = post(client, SEED, "bare")
        assert refused(client, trace, "predictions", token=1) == "logits_not_available"


@pytest.mark.parametrize("path", ["heads", "heads/constancy", "graph", "path", "predictions"])
def test_a_trace_that_is_gone(client: TestClient, path: str) -> None:
    answer = client.get(f"/api/traces/{'0' * 32}/{path}", params={"token": 0})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "trace_gone")
