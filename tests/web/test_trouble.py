"""What goes wrong is said in the reader's language, and nothing is lost."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from explore_page import SENTENCE, ExplorePage
from playwright.sync_api import Browser, Page, expect
from studio_process import running_studio

from vitral.messages import message

pytestmark = pytest.mark.browser


@pytest.fixture
def room(page: Page) -> ExplorePage:
    return ExplorePage(page)


def test_empty_text(room: ExplorePage) -> None:
    room.open()
    room.text.fill("   ")
    expect(room.notice).to_have_text(message("error.text_empty", "es"))
    room.page.get_by_role("button", name="English").click()
    expect(room.notice).to_have_text(message("error.text_empty", "en"))
    # The picture of the last text is still there, and a text clears the message.
    expect(room.page.locator(".right .most")).to_be_visible()
    room.text.fill(SENTENCE + " Sí.")
    expect(room.notice).to_have_text("")
    expect(room.chips.last).to_have_text("[SEP]")


def test_text_too_long(room: ExplorePage) -> None:
    room.open()
    text = " ".join([SENTENCE] * 10)
    room.text.fill(text)
    length = 2 + 10 * (room.chips.count() - 2)
    values = {"length": length, "context": 64, "model": "small-bert"}
    expect(room.notice).to_contain_text(message("error.text_too_long", "es", **values))
    room.page.get_by_role("button", name="English").click()
    expect(room.notice).to_contain_text(message("error.text_too_long", "en", **values))
    expect(room.text).to_have_value(text)


def test_unknown_model(room: ExplorePage) -> None:
    room.page.goto("/?model=nadie")
    expect(room.notice).to_contain_text("nadie")
    room.page.get_by_label("Modelo").select_option("small-bert")
    room.filled()
    expect(room.notice).to_have_text("")


def test_a_doubled_submission_loses_nothing(room: ExplorePage) -> None:
    room.open()
    room.text.fill("La niña lee.")
    look = room.page.get_by_role("button", name="Explorar este texto")
    look.dblclick()
    expect(room.chips).to_have_count(6)
    expect(room.notice).to_have_text("")


def test_the_server_goes_and_comes_back(
    browser: Browser, built_page: None, bert_folder: Path
) -> None:
    with running_studio(bert_folder) as (address, process):
        page = browser.new_page(base_url=address, locale="es-ES")
        room = ExplorePage(page).open(at="layers.0.attention.pattern", head=0)
        process.terminate()
        process.wait(20)
    place = room.pane(2, 3).bounding_box()
    room.pane(2, 3).click()
    expect(room.notice).to_contain_text("Studio no responde")
    assert room.pane(2, 3).bounding_box() == place  # nothing moves under the pointer
    expect(room.text).to_have_value(SENTENCE)
    # What was fetched is still to be seen.
    room.show("Números")
    expect(page.locator("tr[data-key]").first).to_be_visible()
    port = urlsplit(address).port
    assert port is not None
    with running_studio(bert_folder, port=port):
        # By itself: no key is pressed, and the head that was asked for arrives.
        expect(room.notice).to_have_text("", timeout=30_000)
        expect(page.get_by_test_id("announcer")).to_contain_text("Capa 2, cabeza 3")
        page.close()
