"""Writing through the API gives what the model gives in Python, token for token."""

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from starlette.testclient import TestClient

import vitral
from vitral.errors import VitralError
from vitral.generation.beam_search import beam_search
from vitral.generation.stepping import Stepping
from vitral.studio.application import create_app
from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.studio.limits import Limits
from vitral.studio.rooms.write.room import WriteSettings
from vitral.studio.rooms.write.schemas import StreamEnd, StreamRequest
from vitral.studio.rooms.write.sessions import Beginning, WritingSessions
from vitral.studio.rooms.write.stream import Stream, lines
from vitral.studio.server import bound_socket
from vitral.studio.session import Session
from vitral.studio.traces.blocks import decode_block
from vitral.text.raw_bytes import BROKEN

TEXT = "La niña lee"
Studio = Callable[..., TestClient]


def body(**more: Any) -> dict[str, Any]:
    return {"model": "small-llama", "text": TEXT, **more}


def lines_of(client: TestClient, path: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.post(f"/api/writing/{path}", json=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def refusal(client: TestClient, path: str, asked: dict[str, Any], status: int = 422) -> str:
    answer = client.post(f"/api/writing/{path}", json=asked)
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"]["code"])


@pytest.fixture(scope="module")
def llama(llama_folder: Path) -> vitral.Model:
    return vitral.load(llama_folder)


@pytest.mark.parametrize(
    ("settings", "seed"),
    [
        ({}, 0),
        ({"temperature": 1.0}, 7),
        ({"temperature": 0.8, "top_k": 40, "top_p": 0.9, "min_p": 0.01}, 8),
        ({"temperature": 1.4, "repetition_penalty": 1.3}, 2**40),
    ],
)
def test_a_stream_is_what_generate_writes(
    client: TestClient, llama: vitral.Model, settings: dict[str, Any], seed: int
) -> None:
    *new, last = lines_of(client, "stream", body(settings=settings, seed=seed, max_new_tokens=30))
    drawn = {"seed": seed} if settings else {}
    expected = llama.generate(TEXT, max_new_tokens=30, **settings, **drawn)
    text = TEXT + "".join(line["token"]["piece"] for line in new)
    assert text.rstrip(BROKEN) == expected.rstrip(BROKEN)
    assert last["end"] in {"length", "end"}
    assert len(new) == 30 or last["end"] == "end"
    trace = llama.trace_generation(TEXT, max_new_tokens=30, **settings, **drawn)
    num_read = len(llama.tokens(TEXT))
    assert [line["token"]["id"] for line in new] == [t.id for t in trace.tokens[num_read:]]
    for number, line in enumerate(new):
        logits = trace["logits"][num_read + number - 1]
        token = line["token"]["id"]
        assert line["log_probability"] == pytest.approx(
            float(logits.log_softmax(-1)[token]), abs=1e-4
        )
        mean = np.mean(
            [
                trace.attention(layer, head)[num_read + number - 1, : num_read + number].numpy()
                for layer in range(2)
                for head in range(4)
            ],
            axis=0,
        )
        assert line["attention"] == pytest.approx(mean.tolist(), abs=1e-5)


def test_a_stream_goes_on_from_any_place(client: TestClient) -> None:
    """As after a lost connection: what comes is what would have come."""
    asked = body(settings={"temperature": 1.0}, seed=3)
    whole = [line["token"]["id"] for line in lines_of(client, "stream", asked)[:-1]]
    rest = lines_of(client, "stream", {**asked, "written": whole[:11]})[:-1]
    assert [line["token"]["id"] for line in rest][: len(whole) - 11] == whole[11:]


def test_a_look_is_the_models_own_numbers(client: TestClient, llama: vitral.Model) -> None:
    written = [40, 41, 300, 7]
    ids = [*(token.id for token in llama.tokens(TEXT)), *written]
    trace = llama.trace(ids=ids)
    for layer, head in ((None, None), (1, None), (1, 2)):
        answer = client.post(
            "/api/writing/next-token", json=body(written=written, layer=layer, head=head)
        )
        header, values = decode_block(answer.content)
        size = header["vocabulary"]
        np.testing.assert_allclose(values[:size], trace["logits"][-1], atol=1e-4, rtol=0)
        layers = range(2) if layer is None else [layer]
        heads = range(4) if head is None else [head]
        rows = [trace.attention(a, b)[-1].numpy() for a in layers for b in heads]
        np.testing.assert_allclose(values[size:], np.mean(rows, axis=0), atol=1e-5, rtol=0)
    assert (header["num_layers"], header["num_heads"]) == (2, 4)
    assert (header["start"], header["context"], header["ended"]) == (0, 128, None)
    assert header["cache_bytes"] == len(ids) * 2 * 2 * 2 * 8 * 4
    assert "".join(each["piece"] for each in header["prompt"]) == TEXT
    assert [each["id"] for each in header["prompt"] + header["written"]] == ids


def test_a_character_in_parts_is_shown_as_such(client: TestClient, llama: vitral.Model) -> None:
    text = "Una fiesta 🎉"
    answer = client.post("/api/writing/next-token", json=body(text=text))
    header, _ = decode_block(answer.content)
    party = header["prompt"][-4:]
    assert [each["piece"] for each in party] == ["", "", "", "🎉"]
    assert [each["name"] for each in party] == ["F0", "9F", "8E", "89"]
    assert "".join(each["piece"] for each in header["prompt"]) == text
    ids = [token.id for token in llama.tokens("🎉")]
    header, _ = decode_block(
        client.post("/api/writing/next-token", json=body(written=ids[:3])).content
    )
    assert [each["piece"] for each in header["written"]] == ["", "", ""]


def test_the_end_of_the_context(client: TestClient, llama: vitral.Model) -> None:
    num_read = len(llama.tokens(TEXT))
    asked = body(max_new_tokens=300)
    *new, last = lines_of(client, "stream", asked)
    assert (last["end"], len(new)) == ("context", 128 - num_read)
    written = [line["token"]["id"] for line in new]
    answer = client.post("/api/writing/next-token", json=body(written=written))
    header, values = decode_block(answer.content)
    assert (header["ended"], header["vocabulary"], len(values)) == ("context", 0, 0)
    assert refusal(client, "next-token", body(written=[*written, 5])) == "text_too_long"
    *new, last = lines_of(client, "stream", {**asked, "windowed": True})
    assert len(new) > 128
    expected = llama.generate(TEXT, max_new_tokens=300, windowed=True)
    text = TEXT + "".join(line["token"]["piece"] for line in new)
    assert text.rstrip(BROKEN) == expected.rstrip(BROKEN)
    assert new[-1]["start"] > 0


def test_stop_strings(client: TestClient, llama: vitral.Model) -> None:
    asked = body(settings={"temperature": 1.0}, seed=3, max_new_tokens=60)
    plain = llama.generate(TEXT, max_new_tokens=60, temperature=1.0, seed=3)[len(TEXT) :]
    stop = plain[9:11]
    *new, last = lines_of(client, "stream", {**asked, "stop": [stop]})
    expected = llama.generate(TEXT, max_new_tokens=60, temperature=1.0, seed=3, stop=[stop])
    assert last == {"end": "stop", "kept": len(expected) - len(TEXT)}
    text = "".join(line["token"]["piece"] for line in new)
    assert (TEXT + text)[: len(TEXT) + last["kept"]] == expected
    # At a place behind it nothing more is written.
    again = {**asked, "stop": [stop], "written": [line["token"]["id"] for line in new]}
    assert lines_of(client, "stream", again) == [last]


def test_a_race_is_what_each_writes_alone(client: TestClient, llama: vitral.Model) -> None:
    ways: list[dict[str, Any]] = [
        {},
        {"temperature": 1.0},
        {"temperature": 1.0, "top_k": 10},
        {"temperature": 1.0, "top_p": 0.7},
        {"temperature": 1.0, "min_p": 0.1},
    ]
    strategies = [{"settings": way} for way in ways] + [{"num_beams": 3}]
    found = lines_of(client, "race", body(strategies=strategies, seed=6, max_new_tokens=12))
    last = {line["column"]: line for line in found}
    assert sorted(last) == [0, 1, 2, 3, 4, 5]
    # All take turns: nobody is through before another has begun.
    assert {line["column"] for line in found[:6]} == set(last)
    for index, way in enumerate(ways):
        drawn = {"seed": 6} if way else {}
        expected = llama.generate(TEXT, max_new_tokens=12, **way, **drawn)
        assert TEXT + last[index]["text"] == expected
        trace = llama.trace_generation(TEXT, max_new_tokens=12, **way, **drawn)
        count = len(last[index]["ids"])
        rows = trace["logits"].log_softmax(-1)[-count - 1 : -1]
        ids = [token.id for token in trace.tokens[-count:]]
        assert ids == last[index]["ids"]
        total = sum(float(row[token]) for row, token in zip(rows, ids, strict=True))
        assert last[index]["mean_log_probability"] == pytest.approx(total / count, abs=1e-4)
        assert last[index]["end"] in {"length", "end"}
    import torch

    read = torch.tensor([token.id for token in llama.tokens(TEXT)])
    best = beam_search(llama.module, read, num_beams=3, max_new_tokens=12, end_id=0)[0]
    assert last[5]["ids"] == best.ids
    assert last[5]["mean_log_probability"] == pytest.approx(best.score, abs=1e-6)
    assert TEXT + last[5]["text"] == llama.generate(TEXT, max_new_tokens=12, num_beams=3)


def test_every_token_has_a_name(client: TestClient, llama: vitral.Model) -> None:
    found = client.get("/api/writing/vocabulary", params={"model": "small-llama"}).json()
    assert len(found["texts"]) == llama.tokenizer.get_vocab_size()
    assert found["special"] == [0]
    assert found["texts"][llama.tokens(" niña")[0].id] == llama.tokens(" niña")[0].text
    party = llama.tokens("🎉")[0].id
    assert found["parts"][str(party)] == "F0"


def test_what_cannot_be_written_is_said(client: TestClient) -> None:
    for path in ("next-token", "stream"):
        assert refusal(client, path, body(model="small-bert")) == "cannot_write"
        assert refusal(client, path, body(text=" ")) == "text_empty"
        assert refusal(client, path, body(text="a " * 200)) == "text_too_long"
        assert refusal(client, path, body(written=[400])) == "id_out_of_range"
        assert refusal(client, path, body(written=[-1])) == "request_invalid"
        assert refusal(client, path, body(model="nadie"), 404) == "model_unknown"
        assert refusal(client, path, body(layer=2)) == "layer_out_of_range"
        assert refusal(client, path, body(head=4)) == "head_out_of_range"
        assert refusal(client, path, body(other=1)) == "request_invalid"
    for settings in ({"temperature": -1}, {"top_p": 0}, {"top_k": 0}, {"min_p": 2}):
        assert refusal(client, "stream", body(settings=settings)) == "request_invalid"
    assert refusal(client, "race", body(strategies=[])) == "request_invalid"
    assert refusal(client, "race", body(model="small-bert", strategies=[{}])) == "cannot_write"
    answer = client.get("/api/writing/vocabulary", params={"model": "small-bert"})
    assert answer.json()["error"]["code"] == "cannot_write"


def test_a_full_vocabulary_of_ids_is_still_refused(open_studio: Studio, llama_folder: Path) -> None:
    with open_studio(llama_folder, limits=Limits(tokens=20)) as client:
        assert (
            refusal(client, "next-token", body(written=[5] * 30, windowed=True))
            == "text_over_tokens"
        )


def test_nothing_is_begun_for_a_client_that_has_gone(llama_folder: Path) -> None:
    async def two_lines_and_away() -> None:
        session = Session(ModelCatalog([str(llama_folder)]), Limits())
        stream, num_steps = (
            Stream(session, WritingSessions(1, 1), StreamRequest(**body(max_new_tokens=50))),
            0,
        )

        def step() -> Any:
            nonlocal num_steps
            num_steps += 1
            return stream.step()

        found = lines(session, step, step())
        await anext(found)
        await anext(found)
        await found.aclose()
        await asyncio.sleep(0.3)
        assert num_steps == 2
        session.close()

    asyncio.run(two_lines_and_away())


def test_a_lost_connection_ends_its_stream(llama_folder: Path) -> None:
    """Over a real socket: the client closes it in mid-stream."""
    app = create_app([str(llama_folder)])
    num_runs = 0
    run = app.state.session.workshop.run

    async def counted(*args: Any) -> Any:
        nonlocal num_runs
        num_runs += 1
        return await run(*args)

    app.state.session.workshop.run = counted
    with bound_socket("127.0.0.1", 0) as listener:
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        client = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=60)
        asked = body(max_new_tokens=4000, windowed=True)
        headers = {"content-type": "application/json"}
        client.request("POST", "/api/writing/stream", json.dumps(asked), headers)
        answer = client.getresponse()
        assert json.loads(answer.readline())["rank"] == 1
        answer.close()
        client.close()
        seen = -1
        while seen != num_runs:  # what is on its way is finished; then nothing more is begun
            seen = num_runs
            time.sleep(1)
        assert 1 <= num_runs < 3000
        server.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


def test_what_goes_wrong_on_the_way_is_a_line(llama_folder: Path) -> None:
    async def broken() -> list[Any]:
        session = Session(ModelCatalog([str(llama_folder)]), Limits())

        def step() -> Any:
            raise VitralError("text_too_long", length=9, context=8, model="m")

        first = [StreamEnd(end="stop", kept=1)]
        found = [json.loads(line) async for line in lines(session, step, first)]
        session.close()
        return found

    first, second = asyncio.run(broken())
    assert first == {"end": "stop", "kept": 1}
    assert second["error"]["code"] == "text_too_long"
    assert second["error"]["values"] == {"length": 9, "context": 8, "model": "m"}


def test_sessions_are_reused_and_dropped_oldest_first(
    open_studio: Studio, llama_folder: Path
) -> None:
    with open_studio(llama_folder, settings=[WriteSettings(max_sessions=2)]) as client:
        kept = client.app.state.rooms.state(WritingSessions)  # type: ignore[attr-defined]
        lines_of(client, "stream", body(max_new_tokens=5))
        client.post("/api/writing/next-token", json=body())
        assert len(kept) == 2  # the longer text's session knows nothing of the shorter one
        for text in ("a", "b", "c"):
            client.post("/api/writing/next-token", json=body(text=text))
        assert len(kept) == 2
        # What was dropped is read again, and nobody notices.
        assert lines_of(client, "stream", body(max_new_tokens=5))


def test_sessions_keep_to_their_bytes(llama: vitral.Model) -> None:
    sessions = WritingSessions(max_sessions=9, max_bytes=3000)
    made = []

    def begin() -> Stepping:
        made.append(Stepping(llama.module, llama.tokenizer, TEXT))
        return made[-1]

    for text in "abc":
        with sessions.borrow(Beginning("m", text, False, False), [], begin) as stepping:
            stepping.look([])
    assert len(sessions) == 3000 // made[0].num_bytes
    with sessions.borrow(Beginning("m", "c", False, False), [3], begin) as stepping:
        assert stepping is made[-1]
        assert stepping.num_known([3]) == len(stepping.prompt)
    with (
        pytest.raises(ZeroDivisionError),
        sessions.borrow(Beginning("m", "c", False, False), [], begin),
    ):
        1 / 0  # noqa: B018
    with sessions.borrow(Beginning("m", "c", True, False), [], begin) as stepping:
        assert stepping is made[-1]
