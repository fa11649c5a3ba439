"""While a text runs, or waits, or Studio is gone: nothing is lost, and the page says what is up."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from explore_page import SENTENCE, ExplorePage
from playwright.sync_api import Browser, Page, expect
from studio_process import running_studio

import vitral
from served_studio import Served, served, until
from vitral.explain import arithmetic
from vitral.messages import message
from vitral.studio.application import create_app

pytestmark = pytest.mark.browser

OTHER = "La niña lee un libro en el jardín."


@pytest.fixture(scope="module")
def own_studio(built_page: None, bert_folder: Path, llama_folder: Path) -> Iterator[Served]:
    with served(create_app([str(bert_folder), str(llama_folder)])) as studio:
        yield studio


@pytest.fixture
def room(browser: Browser, own_studio: Served) -> Iterator[ExplorePage]:
    context = browser.new_context(
        base_url=own_studio.address, locale="es-ES", viewport={"width": 1280, "height": 800}
    )
    context.set_default_timeout(30_000)
    yield ExplorePage(context.new_page())
    context.close()


def num_tokens(folder: Path, text: str) -> int:
    return len(vitral.load(str(folder)).tokens(text))


def test_the_place_in_the_queue_is_shown(
    room: ExplorePage, browser: Browser, own_studio: Served, bert_folder: Path
) -> None:
    workshop = own_studio.session.workshop
    turn = room.page.get_by_test_id("turn")
    room.open()
    expect(turn).to_have_text("")
    others = [browser.new_page(base_url=own_studio.address) for _ in range(2)]
    with own_studio.session.catalog.borrow("small-bert"):
        for number, other in enumerate(others):
            other.goto(f"/?text=El+gato+{number}.")
            until(lambda n=number: workshop.num_pending == n + 1)
        box = room.page.locator("#view").bounding_box()
        room.text.fill(OTHER)
        expect(turn).to_have_text(message("studio.queue_many", "es", count=2))
        # Nothing has moved, and the picture of the text before is still there.
        assert room.page.locator("#view").bounding_box() == box
        room.page.get_by_role("button", name="English").click()
        expect(turn).to_have_text(message("studio.queue_many", "en", count=2))
        expect(room.page.locator(".right .most")).to_be_visible()
        others[1].close()  # who leaves gives up the place
        expect(turn).to_have_text(message("studio.queue_one", "en"))
    expect(room.chips).to_have_count(num_tokens(bert_folder, OTHER))
    expect(turn).to_have_text("")
    others[0].close()
    until(lambda: workshop.num_pending == 0)


def test_a_text_typed_over_is_not_worked_on(room: ExplorePage, own_studio: Served) -> None:
    room.open(model="small-llama")
    workshop = own_studio.session.workshop
    with own_studio.session.catalog.borrow("small-llama"):
        room.text.fill("El primero.")
        until(lambda: set(workshop._tickets) != set())
        (first,) = workshop._shared
        room.text.fill("El segundo.")
        until(lambda: len(workshop._shared) == 1 and first not in workshop._shared)
    room.expect_place(text="El segundo.")
    assert own_studio.session.store.find(first) is None


def test_while_a_text_runs_nothing_is_lost(
    room: ExplorePage, own_studio: Served, bert_folder: Path
) -> None:
    """A doubled click, another size, another language and theme, another head, a page closed and
    opened again: then the text arrives, once."""
    text = OTHER + " La niña sonríe."  # no other test has had it read
    room.open(at="layers.0.attention.pattern", head=0)
    workshop = own_studio.session.workshop
    with own_studio.session.catalog.borrow("small-bert"):
        room.text.fill(text)
        room.page.get_by_role("button", name="Explorar este texto").dblclick()
        until(lambda: workshop.num_pending >= 1)
        room.page.set_viewport_size({"width": 390, "height": 844})
        room.page.get_by_role("button", name="English").click()
        room.page.get_by_role("button", name="Dark theme").click()
        room.page.set_viewport_size({"width": 1280, "height": 800})
        room.pane(2, 3).click()
        room.show("Numbers")
        expect(room.text).to_have_value(text)
        expect(room.page.locator("tr[data-key]").first).to_be_visible()
        address = room.page.url
        again = room.page.context.new_page()
        room.page.close()
        again.goto(address)
        room = ExplorePage(again)
        expect(room.text).to_have_value(text)
    room.filled()
    expect(room.chips).to_have_count(num_tokens(bert_folder, text))
    room.expect_place(text=text, view="numbers", lang="en", theme="dark", head="3")
    until(lambda: workshop.num_pending == 0)


def test_a_text_that_runs_is_not_lost_with_a_head_chosen_meanwhile(
    room: ExplorePage, own_studio: Served, bert_folder: Path
) -> None:
    room.open(at="layers.0.attention.pattern", head=0)
    with own_studio.session.catalog.borrow("small-bert"):
        text = OTHER + " Y el gato."
        room.text.fill(text)
        until(lambda: own_studio.session.workshop.num_pending == 1)
        room.pane(1, 1).click()
        room.show("Mapa")
    expect(room.chips).to_have_count(num_tokens(bert_folder, text))
    room.expect_place(text=text, at="layers.1.attention.pattern", head="1", view="map")
    room.page.go_back()
    room.page.go_back()
    room.page.go_back()
    expect(room.text).to_have_value(SENTENCE)


def test_going_back_calls_off_the_text_that_runs(room: ExplorePage, own_studio: Served) -> None:
    room.open(at="layers.0.attention.pattern", head=0)
    count = room.chips.count()
    workshop = own_studio.session.workshop
    with own_studio.session.catalog.borrow("small-bert"):
        room.text.fill("La abuela dijo otra cosa.")
        until(lambda: workshop.num_pending == 1)
        # From within the page, which has the new step already; the browser may not know it yet.
        room.page.evaluate("history.back()")
        expect(room.text).to_have_value(SENTENCE)
        expect(room.page.locator(".busy")).to_have_count(0)
    until(lambda: workshop.num_pending == 0)
    expect(room.chips).to_have_count(count)
    room.expect_place(text=SENTENCE)


def test_killed_in_the_middle_of_everything(
    browser: Browser, built_page: None, bert_folder: Path
) -> None:
    """A text and a calculation are asked for and Studio dies; both arrive when it is back."""
    with running_studio(bert_folder) as (address, process):
        context = browser.new_context(base_url=address, locale="es-ES")
        page = context.new_page()
        room = ExplorePage(page).open(at="layers.1.attention.pattern", head=2, token=3)
        page.wait_for_load_state("networkidle")  # it has fetched its other views ahead
        process.kill()
        process.wait(20)
    room.text.fill(OTHER)
    expect(room.notice).to_contain_text("Studio no responde")
    room.page.get_by_role("button", name="English").click()
    expect(room.notice).to_contain_text("does not answer")
    room.page.get_by_role("button", name="Español").click()
    # What is here goes on working: heads that were fetched, views of them, the keyboard.
    room.show("Números")
    expect(page.locator("tr[data-key]").first).to_be_visible()
    room.show("Mapa")
    expect(page.locator("#view canvas").first).to_be_visible()
    room.show("Cálculo")
    room.pane(0, 1).click()
    expect(room.text).to_have_value(OTHER)
    port = urlsplit(address).port
    assert port is not None
    with running_studio(bert_folder, port=port):
        expect(room.notice).to_have_text("", timeout=30_000)
        model = vitral.load(str(bert_folder))
        expect(room.chips).to_have_count(len(model.tokens(OTHER)))
        room.expect_place(text=OTHER, at="layers.0.attention.pattern", head="1")
        query = int(room.place()["token"])
        row = model.trace(OTHER).attention(layer=0, head=1)[query]
        found = arithmetic(model.trace(OTHER), layer=0, head=1, query=query, key=int(row.argmax()))
        expect(page.locator("[data-dot]")).to_have_text(
            f"{found.dot:.3f}".replace("-", "−").replace(".", ",")
        )
        page.close()
    context.close()


def test_a_restarted_studio_makes_its_traces_again(
    browser: Browser, built_page: None, long_folder: Path
) -> None:
    """Nothing was asked while it was away: what a view, a row or a calculation needs is remade."""
    text = " ".join([SENTENCE] * 30)
    with running_studio(long_folder) as (address, process):
        page: Page = browser.new_page(base_url=address, locale="es-ES")
        room = ExplorePage(page).open(text=text, at="layers.0.attention.pattern", head=1, token=7)
        page.wait_for_load_state("networkidle")
        process.kill()
        process.wait(20)
    port = urlsplit(address).port
    assert port is not None
    with running_studio(long_folder, port=port):
        room.show("Cálculo")
        expect(page.locator("[data-dot]")).to_be_visible(timeout=60_000)
        expect(room.notice).to_have_text("")
        room.show("Mapa")
        page.get_by_role("button", name="Acercar").click()
        expect(page.locator("#view canvas").first).to_be_visible()
        expect(room.notice).to_have_text("")
        page.close()
