"""Conversations: the text of the folder's template, read as transformers reads it."""

import json
from pathlib import Path

import pytest
import torch

import vitral
from generation.model_folders import change, llama_folder, theirs
from vitral.cli.program import run
from vitral.generation.writer import CONVERSATION
from vitral.models.chat_template import read_chat_template

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role not in ['system', 'user', 'assistant'] %}{{ raise_exception('papel ' ~ m.role) }}"
    "{% endif %}<{{ m.role }}>{{ m.content | trim }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
TALK = [
    {"role": "system", "content": "Responde en verso."},
    {"role": "user", "content": " ¿Quién llamó? "},
]
TEXT = "<s><system>Responde en verso.<user>¿Quién llamó?<assistant>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = llama_folder(tmp_path_factory.mktemp("models") / "hablador")
    change(made / "tokenizer_config.json", chat_template=TEMPLATE)
    return made


def test_the_tokens_are_those_of_transformers(folder: Path) -> None:
    from transformers import AutoTokenizer

    model = vitral.load(folder)
    assert model.conversation(TALK) == TEXT
    tokenizer = AutoTokenizer.from_pretrained(folder)
    expected = tokenizer.apply_chat_template(TALK, add_generation_prompt=True)["input_ids"]
    trace = model.trace(messages=TALK)
    assert [token.id for token in trace.tokens] == expected
    assert trace.tokens[0].special
    assert sum(token.id == expected[0] for token in trace.tokens) == 1
    assert trace.text == TEXT
    for module in (tokenizer, tokenizer.backend_tokenizer):
        pair = vitral.load((model.module, module))
        if module is tokenizer:
            assert pair.conversation(TALK) == TEXT
        else:
            assert pair.chat_template is None


def test_the_answer_is_that_of_transformers(folder: Path, tmp_path: Path) -> None:
    model = vitral.load(folder)
    answer = model.chat(TALK, max_new_tokens=12)
    # transformers' generate, on the same text without a mark of the tokenizer's own
    ids = theirs(folder, TEXT.removeprefix("<s>"), 12)
    assert answer == model.tokenizer.decode(ids)
    assert not answer.startswith("<s>")
    traced = model.trace_generation(model.conversation(TALK), max_new_tokens=12, **CONVERSATION)
    assert traced.text == TEXT + answer


def test_a_conversation_that_ends_with_an_answer_is_read_to_its_end(folder: Path) -> None:
    model = vitral.load(folder)
    said = [*TALK, {"role": "assistant", "content": "Nadie."}]
    assert model.conversation(said) == TEXT + "Nadie."
    assert model.conversation("Hola") == "<s><user>Hola<assistant>"


def test_the_padding_of_a_trace_is_the_plain_one(folder: Path) -> None:
    model = vitral.load(folder)
    ids = [token.id for token in model.trace(messages=TALK).tokens]
    torch.testing.assert_close(model.trace(messages=TALK)["logits"], model.trace(ids=ids)["logits"])


def test_where_the_template_stands(tmp_path: Path) -> None:
    assert read_chat_template(tmp_path) is None
    named = [{"name": "rag", "template": "r"}, {"name": "default", "template": "d"}]
    change(tmp_path / "tokenizer_config.json", chat_template=named, bos_token={"content": "<s>"})
    found = read_chat_template(tmp_path)
    assert found is not None
    assert (found.source, dict(found.tokens)) == ("d", {"bos_token": "<s>"})
    (tmp_path / "chat_template.jinja").write_text("suelto")
    assert read_chat_template(tmp_path).source == "suelto"


@pytest.mark.parametrize(
    ("messages", "key"),
    [
        ([], "messages_wrong"),
        ([{"role": "user"}], "messages_wrong"),
        ([{"role": "user", "content": 3}], "messages_wrong"),
        (["Hola"], "messages_wrong"),
        ({"role": "user", "content": "Hola"}, "messages_wrong"),
        ([{"role": "juez", "content": "Hola"}], "chat_template_refuses"),
    ],
)
def test_what_is_no_conversation(messages: object, key: str, folder: Path) -> None:
    model = vitral.load(folder)
    for ask in (model.chat, model.conversation, lambda talk: model.trace(messages=talk)):
        with pytest.raises(vitral.VitralError) as raised:
            ask(messages)
        assert raised.value.key == key
        assert raised.value.text("es")


def test_templates_that_are_no_template(tmp_path: Path) -> None:
    folder = llama_folder(tmp_path / "m")
    for source in ("{{ messages", "{% for %}", "{{ 1 / 0 }}", "{{ messages.a.b.c }}"):
        (folder / "chat_template.jinja").write_text(source)
        with pytest.raises(vitral.VitralError) as raised:
            vitral.load(folder).conversation("Hola")
        assert raised.value.key == "chat_template_refuses"


def test_a_model_that_does_not_converse(tmp_path: Path) -> None:
    model = vitral.load(llama_folder(tmp_path / "m"))
    with pytest.raises(vitral.VitralError) as raised:
        model.chat("Hola")
    assert raised.value.key == "chat_no_template"


def test_messages_are_given_alone(folder: Path) -> None:
    model = vitral.load(folder)
    for others in ({"text": "a"}, {"ids": [1]}, {"special_tokens": True}, {"pixel_values": 1}):
        with pytest.raises(TypeError):
            model.trace(messages=TALK, **others)


def test_on_the_command_line(folder: Path, tmp_path: Path, capsys) -> None:
    model = vitral.load(folder)
    command = ["generate", "¿Quién llamó?", "--model", str(folder), "--max-new-tokens", "9"]
    system = ["--system", "Responde en verso."]
    assert run([*command, "--chat", *system]) == 0
    assert "<user>" not in capsys.readouterr().out  # the answer alone
    assert run([*command, "--chat", *system, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["written"] == model.chat(TALK, max_new_tokens=9)
    assert run([*command, "--chat", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["text"] == "<s><user>¿Quién llamó?<assistant>"
    assert said["written"] == model.chat("¿Quién llamó?", max_new_tokens=9)
    assert run([*command, "--chat", "--beams", "2"]) == 0
    assert not capsys.readouterr().out.startswith("<s>")
    assert run([*command, "--chat", "--save", str(tmp_path / "t.vitral")]) == 0
    assert vitral.open_trace(tmp_path / "t.vitral").text.startswith("<s><user>¿Quién")
    capsys.readouterr()
    assert run([*command, *system]) == 2
    assert "--chat" in capsys.readouterr().err
    assert run(["generate", "Hola", "--chat"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
