"""A message in the Write room: in the form of the model's template, and the answer after it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import vitral
from generation.model_folders import change, llama_folder
from vitral.studio.traces.blocks import decode_block

TEMPLATE = "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<reply>"
PLACE = {"model": "hablador", "text": "¿Quién llamó?", "chat": True}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = llama_folder(tmp_path / "hablador")
    change(made / "tokenizer_config.json", chat_template=TEMPLATE)
    return made


def test_what_follows_a_message(folder: Path, open_studio: Callable[..., TestClient]) -> None:
    plain = llama_folder(folder.parent / "callado")
    client = open_studio(folder, plain)
    chats = {each["name"]: each["chats"] for each in client.get("/api/studio").json()["models"]}
    assert (chats["hablador"], chats["callado"]) == (True, False)
    model = vitral.load(folder)
    asked = {**PLACE, "settings": {"temperature": 0}, "max_new_tokens": 10}
    answer = client.post("/api/writing/stream", json=asked)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    written = "".join(line["token"]["piece"] for line in lines if "token" in line)
    assert model.chat("¿Quién llamó?", max_new_tokens=10).startswith(written)
    assert written
    header, _ = decode_block(client.post("/api/writing/next-token", json=PLACE).content)
    read = [token.id for token in model.trace(messages="¿Quién llamó?").tokens]
    assert [piece["id"] for piece in header["prompt"]] == read
    shown = "".join(piece["piece"] for piece in header["prompt"])
    assert shown == "<s><user>¿Quién llamó?<reply>"


def test_both_forms_of_one_text_are_two_sessions(
    folder: Path, open_studio: Callable[..., TestClient]
) -> None:
    client = open_studio(folder)
    seen = []
    for chat in (True, False, True):
        answer = client.post("/api/writing/next-token", json=PLACE | {"chat": chat})
        seen.append(decode_block(answer.content)[1].tolist())
    assert seen[0] == seen[2] != seen[1]


def test_a_model_without_a_template(open_studio: Callable[..., TestClient]) -> None:
    client = open_studio()
    asked = PLACE | {"model": "vitral-es-gpt"}
    answer = client.post("/api/writing/next-token", json=asked)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "chat_no_template"
