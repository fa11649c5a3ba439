"""An answer through the API is what an encoder–decoder gives in Python, token for token."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from starlette.testclient import TestClient

import vitral
from models.sequence_models import TRANSLATORS, VOCABULARY, tokenizer_of_letters
from parity.random_models import random_model
from vitral.models import hugging_face
from vitral.studio.application import create_app
from vitral.studio.limits import Limits
from vitral.studio.rooms.train.settings import TrainSettings
from vitral.studio.traces.blocks import decode_block

ADDRESS = "http://127.0.0.1:8321"
TEXT = "gatos 12"
OWN = ("transformer", "additive", "none")
NAMES = ("small-bart", "t5", *OWN)
WAYS: list[dict[str, Any]] = [
    {},
    {"temperature": 1.0},
    {"temperature": 1.3, "top_k": 20, "top_p": 0.9, "min_p": 0.01},
    {"temperature": 1.0, "repetition_penalty": 1.5},
]


@pytest.fixture(scope="module")
def folders(bart_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("answers")
    for name in OWN:
        hugging_face.write(TRANSLATORS[name](), tokenizer_of_letters(), place / name)
    module = random_model("t5")
    module.resize_token_embeddings(VOCABULARY)  # type: ignore[operator]
    module.save_pretrained(place / "t5")  # type: ignore[operator]
    tokenizer_of_letters().save(str(place / "t5" / "tokenizer.json"))
    return {"small-bart": bart_folder, **{name: place / name for name in ("t5", *OWN)}}


@pytest.fixture(scope="module")
def answering(
    folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    runs = tmp_path_factory.mktemp("studio") / "runs"
    models = [str(folder) for folder in folders.values()]
    app = create_app(models, settings=[TrainSettings(runs=runs)])
    with TestClient(app, base_url=ADDRESS, raise_server_exceptions=False) as started:
        yield started


@pytest.fixture(params=NAMES)
def model(request: pytest.FixtureRequest, folders: dict[str, Path]) -> vitral.Model:
    return vitral.load(folders[request.param])


def lines_of(client: TestClient, path: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.post(f"/api/writing/{path}", json=asked)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def look(client: TestClient, **asked: Any) -> tuple[dict[str, Any], Any]:
    answer = client.post("/api/writing/next-token", json=asked)
    assert answer.status_code == 200, answer.text
    return decode_block(answer.content)


def ids_of(lines: list[dict[str, Any]]) -> list[int]:
    return [line["token"]["id"] for line in lines if "token" in line]


def mean_row(trace: Any, part: str, row: int) -> Any:
    """A row of the mean of all heads of a part; nothing for a part that the model lacks."""
    if trace is None or part not in trace.parts:
        return np.zeros(0)
    address = f"decoder.layers.{{}}.{'cross_' if part == 'cross' else ''}attention.pattern"
    patterns: list[Any] = []
    while address.format(len(patterns)) in trace:
        patterns.append(trace[address.format(len(patterns))][:, row].mean(0))
    return torch.stack(patterns).mean(0).numpy()


@pytest.mark.parametrize("settings", WAYS)
def test_a_stream_is_what_generate_answers(
    answering: TestClient, model: vitral.Model, settings: dict[str, Any]
) -> None:
    asked = {"model": model.name, "text": TEXT, "seed": 7, "max_new_tokens": 20}
    *new, last = lines_of(answering, "stream", {**asked, "settings": settings})
    options = {"max_new_tokens": 20, **settings}
    options |= {"seed": 7} if "temperature" in settings else {}
    assert "".join(line["token"]["piece"] for line in new) == model.generate(TEXT, **options)
    assert last["end"] == ("length" if len(new) == 20 else "end")
    if model.num_heads == 0:  # leaves no trace
        assert all(line["attention"] == [] and line["cross"] == [] for line in new)
        return
    trace = model.trace_generation(TEXT, **options)
    assert ids_of(new) == [token.id for token in trace.decoder_tokens[1:]]
    for place, line in enumerate(new):
        own = mean_row(trace, "decoder", place)[: place + 1]
        assert line["attention"] == pytest.approx(own.tolist(), abs=1e-5)
        cross = mean_row(trace, "cross", place)
        assert line["cross"] == pytest.approx(cross.tolist(), abs=1e-5)
        assert line["log_probability"] == pytest.approx(
            float(trace["logits"][place].log_softmax(-1)[line["token"]["id"]]), abs=1e-4
        )


def test_a_look_is_the_models_own_numbers(answering: TestClient, model: vitral.Model) -> None:
    stream = {"model": model.name, "text": TEXT, "settings": {"temperature": 1}, "seed": 2}
    written = ids_of(lines_of(answering, "stream", {**stream, "max_new_tokens": 6}))[:5]
    header, values = look(answering, model=model.name, text=TEXT, written=written)
    read = model.tokens(TEXT)
    assert [each["id"] for each in header["prompt"]] == [token.id for token in read]
    assert "".join(each["piece"] for each in header["prompt"]) == TEXT
    [start] = header["opening"]
    assert start["piece"] == ""
    assert start["name"] is not None
    assert [each["id"] for each in header["written"]] == written
    assert (header["start"], header["ended"]) == (0, None)
    assert header["context"] == model.context
    assert header["cache_bytes"] > 0
    ids = [[start["id"], *written]]
    trace = None if model.num_heads == 0 else model.trace(TEXT, decoder_ids=ids)
    size, num_cross = header["vocabulary"], header["cross"]
    if trace is not None:
        np.testing.assert_allclose(values[:size], trace["logits"][-1], atol=1e-4, rtol=0)
    cross, own = values[size : size + num_cross], values[size + num_cross :]
    np.testing.assert_allclose(cross, mean_row(trace, "cross", -1), atol=1e-5, rtol=0)
    np.testing.assert_allclose(own, mean_row(trace, "decoder", -1), atol=1e-5, rtol=0)
    shape = {"small-bart": (2, 2), "t5": (2, 4), "transformer": (2, 4), "additive": (1, 1)}
    assert (header["num_layers"], header["num_heads"]) == shape.get(model.name, (0, 0))


def test_one_head_of_both_attentions(answering: TestClient, folders: dict[str, Path]) -> None:
    bart = vitral.load(folders["small-bart"])
    header, values = look(answering, model="small-bart", text=TEXT, written=[40], layer=1, head=1)
    trace = bart.trace(TEXT, decoder_ids=[[header["opening"][0]["id"], 40]])
    size, num_cross = header["vocabulary"], header["cross"]
    for part, row in (
        ("cross", values[size : size + num_cross]),
        ("decoder", values[size + num_cross :]),
    ):
        expected = trace.attention(1, 1, part)[-1].numpy()
        np.testing.assert_allclose(row, expected, atol=1e-5, rtol=0)
    for asked, code in (({"layer": 2}, "layer_out_of_range"), ({"head": 2}, "head_out_of_range")):
        body = {"model": "small-bart", "text": TEXT, **asked}  # its encoder has more of both
        answer = answering.post("/api/writing/next-token", json=body)
        assert answer.json()["error"]["code"] == code


def test_a_stream_goes_on_from_any_place(answering: TestClient, model: vitral.Model) -> None:
    asked = {"model": model.name, "text": TEXT, "settings": {"temperature": 1.0}, "seed": 3}
    whole = ids_of(lines_of(answering, "stream", asked))
    rest = ids_of(lines_of(answering, "stream", {**asked, "written": whole[:4]}))
    assert rest[: len(whole) - 4] == whole[4:]


def test_the_answers_context_fills_up(answering: TestClient, folders: dict[str, Path]) -> None:
    bart = vitral.load(folders["small-bart"])
    asked = {"model": "small-bart", "text": TEXT, "max_new_tokens": 200}
    *new, last = lines_of(answering, "stream", asked)
    assert (last["end"], len(new)) == ("context", 63)  # the start token has the first place
    written = ids_of(new)
    header, values = look(answering, model="small-bart", text=TEXT, written=written)
    assert (header["ended"], header["cross"], len(values)) == ("context", 0, 0)
    *new, last = lines_of(answering, "stream", {**asked, "windowed": True})
    assert last["end"] in {"length", "end"}
    assert len(new) > 64
    expected = bart.generate(TEXT, max_new_tokens=200, windowed=True)
    assert "".join(line["token"]["piece"] for line in new) == expected
    assert new[-1]["start"] > 0
    assert len(new[-1]["cross"]) == len(bart.tokens(TEXT))  # of what was read nothing is forgotten


def test_stop_strings(answering: TestClient, model: vitral.Model) -> None:
    options: dict[str, Any] = {"max_new_tokens": 20, "temperature": 1.0, "seed": 5}
    plain = model.generate(TEXT, **options)
    stop = plain[4:6]
    expected = model.generate(TEXT, **options, stop=[stop])
    asked = {"model": model.name, "text": TEXT, "settings": {"temperature": 1.0}, "seed": 5}
    *new, last = lines_of(answering, "stream", {**asked, "stop": [stop], "max_new_tokens": 20})
    assert last == {"end": "stop", "kept": len(expected)}
    assert "".join(line["token"]["piece"] for line in new)[: last["kept"]] == expected


@pytest.mark.parametrize("num_written", [0, 3])
def test_a_race_is_what_each_answers_alone(
    answering: TestClient, model: vitral.Model, num_written: int
) -> None:
    stream = {"model": model.name, "text": TEXT, "max_new_tokens": 12}
    greedy = ids_of(lines_of(answering, "stream", stream))
    asked = {**stream, "seed": 6, "written": greedy[:num_written]}
    strategies = [*({"settings": way} for way in WAYS), {"num_beams": 3}]
    found = lines_of(answering, "race", {**asked, "strategies": strategies})
    last = {line["column"]: line for line in found}
    assert sorted(last) == [0, 1, 2, 3, 4]
    assert last[0]["ids"][: 12 - num_written] == greedy[num_written:]
    if num_written > 0:
        return
    for index, way in enumerate(WAYS):
        drawn = {"seed": 6} if "temperature" in way else {}
        assert last[index]["text"] == model.generate(TEXT, max_new_tokens=12, **way, **drawn)
    assert last[4]["text"] == model.generate(TEXT, max_new_tokens=12, num_beams=3)
    assert last[4]["end"] in {"end", "length"}


def test_a_text_longer_than_the_encoder_takes(answering: TestClient) -> None:
    body = {"model": "small-bart", "text": "gato " * 70}
    for path, more in (("next-token", {}), ("stream", {}), ("race", {"strategies": [{}]})):
        for windowed in (False, True):
            asked = {**body, **more, "windowed": windowed}
            answer = answering.post(f"/api/writing/{path}", json=asked)
            assert answer.status_code == 422
            error = answer.json()["error"]
            assert error["code"] == "text_too_long"
            length = error["values"]["length"]
            assert error["values"] == {"length": length, "context": 64, "model": "small-bart"}
            assert length > 70


def test_both_texts_count_for_the_limit(
    bart_folder: Path, open_studio: Callable[..., TestClient]
) -> None:
    with open_studio(bart_folder, limits=Limits(tokens=20)) as client:
        asked = {"model": "small-bart", "text": TEXT, "written": [40] * 30}
        answer = client.post("/api/writing/next-token", json=asked)
        assert answer.json()["error"]["code"] == "text_over_tokens"


def test_every_token_has_a_name(answering: TestClient, folders: dict[str, Path]) -> None:
    found = answering.get("/api/writing/vocabulary", params={"model": "small-bart"}).json()
    assert len(found["texts"]) == vitral.load(folders["small-bart"]).tokenizer.get_vocab_size()
    assert found["special"] == [0, 1, 2, 3, 4]
