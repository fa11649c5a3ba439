"""The Write room with a model that converses: the text as a message, and as it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from studio_process import running_studio
from write_page import WritePage

import vitral
from generation.model_folders import change, llama_folder

pytestmark = pytest.mark.browser

TEMPLATE = "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<reply>"
TEXT = "Hola, ¿quién llama?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = llama_folder(tmp_path_factory.mktemp("models") / "hablador")
    change(made / "tokenizer_config.json", chat_template=TEMPLATE)
    return made


@pytest.fixture(scope="module")
def studio(built_page: None, folder: Path, bert_folder: Path) -> Iterator[str]:
    with running_studio(folder, bert_folder) as (address, _):
        yield address


def test_a_message_and_its_answer(page: Page, folder: Path) -> None:
    room = WritePage(page).open(model="hablador", text=TEXT, temperature=0, tokens=8)
    before = room.text()
    chat = page.get_by_role("checkbox", name="Como mensaje")
    expect(chat).not_to_be_checked()
    chat.check()
    expect(page.locator("[role=listbox].text")).to_contain_text("<user>")
    assert room.place()["chat"] == ["1"]
    room.write()
    answer = vitral.load(folder).chat(TEXT, max_new_tokens=8)
    assert room.text() == answer
    page.reload()
    expect(chat).to_be_checked()
    expect(page.locator("[role=listbox].text")).to_contain_text("<user>")
    chat.uncheck()
    expect(page.locator("[role=listbox].text")).not_to_contain_text("<user>")
    assert "chat" not in room.place()
    assert room.text() == before
    page.locator("#writer").select_option("vitral-es-gpt")
    expect(chat).to_have_count(0)
