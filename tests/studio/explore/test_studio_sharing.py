"""A trace's file is opened as it was saved, or refused in one line, as early as can be."""

import json
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import vitral
from vitral.studio.application import create_app
from vitral.studio.limits import Limits
from vitral.studio.rooms.explore.sharing.upload import receiving
from vitral.studio.traces.blocks import decode_block

ADDRESS = "http://127.0.0.1:8321"
TEXT = "La niña lee un libro en el jardín."
MOST = 400_000


@pytest.fixture(scope="module")
def client(bert_folder: Path) -> Iterator[TestClient]:
    """A Studio that has none of the models whose traces it is sent."""
    app = create_app([str(bert_folder)], limits=Limits(trace_file_bytes=MOST, page_megabytes=0.001))
    with TestClient(app, base_url=ADDRESS, raise_server_exceptions=False) as started:
        yield started


@pytest.fixture(scope="module")
def saved(llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, bytes]:
    trace = vitral.load(str(llama_folder)).trace(TEXT)
    path = tmp_path_factory.mktemp("traces") / "una.vitral"
    trace.save(path)
    return trace, path.read_bytes()


def send(client: TestClient, content: Any, name: str = "una traza.vitral", **headers: str) -> Any:
    return client.post("/api/trace-files", params={"name": name}, content=content, headers=headers)


def code_of(answer: Any) -> str:
    assert 400 <= answer.status_code < 500, answer.text
    error = answer.json()["error"]
    assert "\n" not in error["message"]
    return str(error["code"])


def with_header(content: bytes, change: Any) -> bytes:
    """The file with its trace's description changed."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    trace = json.loads(header["__metadata__"]["vitral.trace"])
    change(trace)
    header["__metadata__"]["vitral.trace"] = json.dumps(trace)
    written = json.dumps(header).encode()
    written += b" " * (-len(written) % 8)
    return struct.pack("<Q", len(written)) + written + content[8 + length :]


def test_a_file_is_shown_with_its_models_name(client: TestClient, saved: Any) -> None:
    trace, content = saved
    answer = send(client, content)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["model"], found["text"], found["opened"]) == (
        "small-llama", TEXT, "una traza.vitral",
    )  # fmt: skip
    assert [token["text"] for token in found["tokens"]] == [token.text for token in trace.tokens]
    for layer, head in ((0, 3), (1, 0)):
        asked = {"address": f"layers.{layer}.attention.pattern", "head": head}
        block = client.get(f"/api/traces/{found['id']}/view", params=asked).content
        assert (decode_block(block)[1] == trace.attention(layer, head).numpy()).all()
    assert client.get(f"/api/traces/{found['id']}").json() == found
    assert send(client, content).json()["id"] == found["id"]
    assert client.get(f"/api/traces/{found['id']}/file").content  # and it can be taken along again


def test_a_file_from_another_vitral_or_another_program(client: TestClient, saved: Any) -> None:
    _, content = saved
    newer = with_header(content, lambda trace: trace.update(version=99))
    answer = send(client, newer)
    assert code_of(answer) == "trace_version"
    assert answer.json()["error"]["values"]["path"] == "una traza.vitral"  # not a temporary name
    assert code_of(send(client, b"\x89PNG\r\n\x1a\n" + b"0" * 99, "foto.png")) == "upload_not_trace"
    assert code_of(send(client, b"{}")) == "upload_not_trace"
    assert code_of(send(client, b"")) == "trace_upload_empty"
    empty = b'{"__metadata__":{}}     '
    assert code_of(send(client, struct.pack("<Q", len(empty)) + empty)) == "upload_not_trace"


def test_a_file_that_is_cut_or_altered_is_never_a_mistake_of_ours(
    client: TestClient, saved: Any
) -> None:
    _, content = saved
    for share in (0.001, 0.1, 0.5, 0.999):
        cut = content[: int(len(content) * share)]
        assert code_of(send(client, cut)) in {"trace_damaged", "upload_not_trace"}
    changes = [
        lambda trace: trace.update(tokens=trace["tokens"][:-1]),
        lambda trace: trace["tokens"][0].update(text=7, id="x"),
        lambda trace: trace.update(text=["a"]),
        lambda trace: trace.update(tokens=7),
        lambda trace: trace.update(attentions={}),
        lambda trace: trace.update(attentions=[1]),
        lambda trace: trace["attentions"].pop("layers.0.attention"),
        lambda trace: trace["attentions"]["layers.0.attention"].update(scaling="x"),
        lambda trace: trace.update(aliases={"embed": "nowhere"}),
        lambda trace: trace.update(model=None, decoder_tokens=None),
    ]
    for number, change in enumerate(changes):
        answer = send(client, with_header(content, change))
        assert code_of(answer) in {"trace_damaged", "trace_not_drawn", "no_attention"}, number


def test_random_bytes_anywhere_are_never_a_mistake_of_ours(client: TestClient, saved: Any) -> None:
    _, content = saved
    (length,) = struct.unpack("<Q", content[:8])
    choose = random.Random(0)
    for _ in range(60):
        altered = bytearray(content)
        for _ in range(3):
            altered[choose.randrange(8, 8 + length)] = choose.randrange(32, 127)
        answer = send(client, bytes(altered))
        assert answer.status_code in (200, 422), answer.text


def test_a_large_file_is_refused_before_it_has_come(client: TestClient, saved: Any) -> None:
    _, content = saved
    answer = send(client, content, **{"Content-Length": str(MOST + 1)})
    assert (answer.status_code, code_of(answer)) == (413, "trace_upload_too_large")
    pieces = iter([content[:1000], *[b"0" * 100_000] * 50])
    answer = send(client, pieces)  # without a length: counted while it arrives
    assert code_of(answer) == "trace_upload_too_large"


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_reading_stops_where_it_is_known_what_is_wrong(
    anyio_backend: str, saved: Any
) -> None:
    taken = 0

    async def pieces(first: bytes) -> Any:
        nonlocal taken
        for piece in (first, *[b"0" * 1000] * 100):
            taken += 1
            yield piece

    for first, expected, most in ((b"%PDF-1.7 no", "upload_not_trace", 1), (saved[1][:9], "", 11)):
        taken = 0
        with receiving("x", 10_000) as upload, pytest.raises(vitral.VitralError) as caught:
            await upload.take(pieces(first))
        assert caught.value.key == (expected or "trace_upload_too_large")
        assert taken <= most


def test_nothing_is_left_on_disk(
    client: TestClient, saved: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for content in (saved[1], saved[1][:500], b"no"):
        send(client, content, "otra.vitral")
    assert list(tmp_path.iterdir()) == []


def test_another_site_cannot_send_one(client: TestClient, saved: Any) -> None:
    answer = send(client, saved[1], Origin="https://example.org")
    assert (answer.status_code, code_of(answer)) == (403, "request_forbidden")


def test_a_page_of_the_trace_within_a_bound(
    saved: Any, llama_folder: Path, client: TestClient
) -> None:
    app = create_app([str(llama_folder)])
    with TestClient(app, base_url=ADDRESS) as roomy:
        found = send(roomy, saved[1]).json()
        asked = {"layer": 1, "head": 2, "token": 3, "view": "map", "lang": "es", "theme": "dark"}
        answer = roomy.get(f"/api/traces/{found['id']}/page", params=asked)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["content-disposition"].startswith(
            'attachment; filename="small-llama-'
        )
        expected = saved[0].to_html(
            layer=1, head=2, token=3, view="map", language="es", theme="dark"
        )
        assert answer.text == expected
        assert roomy.get(f"/api/traces/{found['id']}/page", params={"head": 9}).status_code == 422
        assert roomy.get(f"/api/traces/{found['id']}/page", params={"view": "x"}).status_code == 422
    found = send(client, saved[1]).json()
    assert code_of(client.get(f"/api/traces/{found['id']}/page")) in {"page_too_large"}


def test_a_trace_of_too_many_tokens_is_refused(
    open_studio: Callable[..., TestClient], bert_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "larga.vitral"
    vitral.load(str(bert_folder)).trace("El gato y el perro.").save(path)
    with open_studio(limits=Limits(tokens=4)) as studio:
        answer = studio.post(
            "/api/trace-files", params={"name": "larga.vitral"}, content=path.read_bytes()
        )
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "trace_over_tokens"


def test_without_its_model_a_trace_tells_what_it_can(client: TestClient, saved: Any) -> None:
    trace, content = saved
    known = f"/api/traces/{send(client, content).json()['id']}"
    heads = client.get(f"{known}/heads")
    assert heads.status_code == 200
    assert len(heads.json()["heads"]) == trace.num_layers * trace.num_heads
    assert heads.json()["repeated"] is False
    path = client.get(f"{known}/path", params={"token": 3})
    assert path.status_code == 200
    assert all(level["words"] is None and level["tokens"] for level in path.json()["levels"])
    assert client.get(f"{known}/graph", params={"token": 3}).status_code == 200
    # What runs the model again, or asks for its vocabulary, is refused in one line.
    for question in ("heads/constancy", "predictions?token=3"):
        assert code_of(client.get(f"{known}/{question}")) == "model_unknown"
