"""Touch in a real browser: what is changed, what comes of it, and how it is taken back."""

import re
from pathlib import Path
from typing import Any

import pytest
from explore_page import SENTENCE, ExplorePage
from playwright.sync_api import Page, Route, expect

import vitral
from vitral.explain import prediction_change
from vitral.explain.mask_token import mask_id
from vitral.model import Model

pytestmark = pytest.mark.browser

AT = {"at": "layers.1.attention.pattern", "head": 2, "token": 4, "view": "touch"}


@pytest.fixture
def room(page: Page) -> ExplorePage:
    return ExplorePage(page)


@pytest.fixture(scope="module")
def bert(bert_folder: Path) -> Model:
    return vitral.load(str(bert_folder))


def masked_change(bert: Model, place: int, touch: Any) -> Any:
    ids = [token.id for token in bert.tokens(SENTENCE)]
    ids[place] = mask_id(bert)
    before = bert.trace(ids=ids)
    with bert.edit() as edit:
        touch(edit)
        return prediction_change(before, bert.trace(ids=ids), bert, place)


def slider(room: ExplorePage, key: int) -> Any:
    return room.page.locator(f"li[data-key='{key}'] input[type=range]")


def test_a_silenced_head_changes_the_prediction_at_once(room: ExplorePage, bert: Model) -> None:
    room.open(**AT)
    page = room.page
    expect(page.get_by_text("Ningún cambio todavía")).to_be_visible()
    page.get_by_role("button", name="Silenciar esta cabeza: la 2 de la capa 1").click()
    expect(page.locator("[data-edit=silence]")).to_contain_text("Capa 1, cabeza 2: silenciada")
    room.expect_prediction(masked_change(bert, 4, lambda edit: edit.silence(1, 2)))
    room.expect_place(edits="silence-1-2")
    expect(room.pane(1, 2)).to_have_attribute("aria-label", "Capa 1, cabeza 2: silenciada")
    page.wait_for_function(
        "() => [...document.querySelectorAll('li[data-key] [data-weight]')]"
        ".every(each => +each.dataset.weight === 0)"
    )
    # The edited run is what every picture shows, and the bar below says so.
    with bert.edit() as edit:
        edit.silence(1, 2)
        after = bert.trace(SENTENCE)
    room.pane(2, 1).click()
    room.show("Números")
    room.expect_row(after.attention(2, 1)[4])
    page.get_by_role("button", name="Antes").click()
    room.expect_row(bert.trace(SENTENCE).attention(2, 1)[4])
    room.expect_place(before="1")
    page.get_by_role("button", name="Después").click()
    room.expect_row(after.attention(2, 1)[4])
    expect(page.get_by_role("button", name="Cambios: 1")).to_be_visible()


def test_heads_are_silenced_from_the_window_by_keyboard(room: ExplorePage) -> None:
    room.open(**(AT | {"view": "lines"}))
    room.selected_pane.focus()
    room.page.keyboard.press("s")
    room.expect_place(edits="silence-1-2")
    room.page.keyboard.press("ArrowRight")
    room.page.keyboard.press("s")
    room.expect_place(edits="silence-1-2_silence-1-3")
    expect(room.page.locator("[role=gridcell].silent")).to_have_count(2)
    room.page.keyboard.press("s")
    room.expect_place(edits="silence-1-2")
    room.page.keyboard.press("Control+z")
    room.expect_place(edits="silence-1-2_silence-1-3")
    room.page.keyboard.press("Control+Shift+z")
    room.expect_place(edits="silence-1-2")
    # In the text, the same keys are the text's own.
    room.text.focus()
    room.page.keyboard.press("End")
    room.page.keyboard.type("s")
    room.page.keyboard.press("Control+z")
    expect(room.page.locator("[role=gridcell].silent")).to_have_count(1)


def test_a_weight_is_moved_with_arrow_keys(room: ExplorePage, bert: Model) -> None:
    room.open(**AT)
    page = room.page
    own = float(bert.trace(SENTENCE).attention(1, 2)[4, 6])
    slider(room, 6).focus()
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowUp")
    value = round(round(own + 0.1, 2) + 0.01, 2)
    room.expect_place(edits=f"weight-1-2-4-6-{value:g}")
    with bert.edit() as edit:
        edit.set_cell(1, 2, row=4, column=6, value=value)
        row = bert.trace(SENTENCE).attention(1, 2)[4]
    page.wait_for_function(
        """row => row.every((weight, key) => Math.abs(weight - +document.querySelector(
            `li[data-key="${key}"] [data-weight]`).dataset.weight) < 1e-6)""",
        arg=[float(weight) for weight in row],
    )
    change = masked_change(bert, 4, lambda edit: edit.set_cell(1, 2, 4, 6, value))
    room.expect_prediction(change)
    # Both keys were one gesture; Delete lets go.
    expect(slider(room, 6)).to_be_focused()
    page.keyboard.press("Control+z")
    expect(page.locator("[data-edit]")).to_have_count(0)
    page.keyboard.press("Control+Shift+z")
    expect(page.locator("[data-edit=weight]")).to_have_count(1)
    page.keyboard.press("Delete")
    expect(page.locator("[data-edit]")).to_have_count(0)


def test_a_weight_is_dragged_and_the_row_has_no_more_than_one(room: ExplorePage) -> None:
    room.open(**AT)
    page = room.page

    def drag(key: int, share: float) -> None:
        box = slider(room, key).bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2)
        page.mouse.down()
        for step in range(1, 5):
            to = 0.3 + (share - 0.3) * step / 4
            page.mouse.move(box["x"] + box["width"] * to, box["y"] + box["height"] / 2)
        page.mouse.up()

    drag(2, 0.8)
    expect(page.locator("[data-edit=weight]")).to_have_count(1)
    drag(3, 0.9)
    expect(page.locator("[data-edit=weight]")).to_have_count(2)
    weights = page.wait_for_function(
        """() => {
            const all = [...document.querySelectorAll("li[data-key] [data-weight]")]
                .map(each => +each.dataset.weight);
            const sum = all.reduce((a, b) => a + b, 0);
            return Math.abs(sum - 1) < 1e-5 && all[2] > 0.6 && all[3] > 0.05 ? all : null;
        }"""
    ).json_value()
    assert weights[2] + weights[3] == pytest.approx(1, abs=1e-6)
    expect(page.locator("#notice")).not_to_contain_text("suman")
    # A drag is one step.
    page.get_by_role("button", name="Deshacer", exact=True).click()
    expect(page.locator("[data-edit=weight]")).to_have_count(1)
    page.get_by_role("button", name="Deshacer", exact=True).click()
    expect(page.locator("[data-edit]")).to_have_count(0)
    expect(page.get_by_role("button", name="Deshacer", exact=True)).to_be_disabled()


def test_a_blank_token_and_removing_one_edit_of_several(room: ExplorePage, bert: Model) -> None:
    room.open(**(AT | {"edits": "silence-0-1"}))
    page = room.page
    page.get_by_role("button", name="Tapar: gato").click()
    place = next(i for i, token in enumerate(bert.tokens(SENTENCE)) if token.text == "gato")
    room.expect_place(edits=f"silence-0-1_blank-{place}")
    expect(room.chips.nth(place)).to_have_class(re.compile(r"\bblank\b"))

    def both(edit: Any) -> None:
        edit.silence(0, 1)
        edit.blank(place)

    room.expect_prediction(masked_change(bert, 4, both))
    page.get_by_role("button", name="Deshacer este cambio: Capa 0").click()
    room.expect_place(edits=f"blank-{place}")
    room.expect_prediction(masked_change(bert, 4, lambda edit: edit.blank(place)))
    page.get_by_role("button", name="Deshacer todo").click()
    expect(page.locator("[data-edit]")).to_have_count(0)
    page.wait_for_function("() => !new URLSearchParams(location.search).has('edits')")


def test_a_link_reopens_edits_place_and_mask(room: ExplorePage, bert: Model) -> None:
    room.open(**(AT | {"edits": "weight-1-2-4-6-0.5", "place": 7, "masked": 0}))
    page = room.page
    expect(page.locator("#place")).to_have_value("7")
    expect(page.get_by_label("Con el token oculto")).not_to_be_checked()
    before = bert.trace(SENTENCE)
    with bert.edit() as edit:
        edit.set_cell(1, 2, 4, 6, 0.5)
        after = bert.trace(SENTENCE)
    room.expect_prediction(prediction_change(before, after, bert, 7))
    page.get_by_role("button", name="Copiar enlace").click()
    link = page.evaluate("navigator.clipboard.readText()")
    other = page.context.new_page()
    other.goto(link)
    expect(other.locator("[data-edit=weight]")).to_contain_text("0,50")
    ExplorePage(other).expect_prediction(prediction_change(before, after, bert, 7))
    # Back goes to the run before an edit.
    page.get_by_role("button", name="Deshacer todo").click()
    expect(page.locator("[data-edit]")).to_have_count(0)
    page.wait_for_function("() => !new URLSearchParams(location.search).has('edits')")
    page.go_back()
    expect(page.locator("[data-edit=weight]")).to_have_count(1)


def test_a_decoder_shows_what_comes_next(room: ExplorePage, llama_folder: Path) -> None:
    llama = vitral.load(str(llama_folder))
    room.open(**(AT | {"model": "small-llama", "edits": "silence-1-2", "lang": "en"}))
    before = llama.trace(SENTENCE)
    with llama.edit() as edit:
        edit.silence(1, 2)
        after = llama.trace(SENTENCE)
    room.expect_prediction(prediction_change(before, after, llama))
    expect(room.page.get_by_label("With the token masked")).to_have_count(0)
    expect(room.page.get_by_text("may not look at the tokens that come after")).to_be_visible()
    expect(room.page.locator("li[data-key]")).to_have_count(5)


def test_another_text_keeps_heads_silent_and_says_what_it_dropped(room: ExplorePage) -> None:
    room.open(**(AT | {"edits": "silence-0-1_blank-3"}))
    expect(room.page.locator("[data-edit]")).to_have_count(2)
    room.text.fill("La niña lee un libro.")
    expect(room.page.locator("[data-edit]")).to_have_count(1)
    expect(room.page.get_by_text("los cambios que ya no se aplican (1)")).to_be_visible()
    room.expect_place(text="La niña lee un libro.", edits="silence-0-1")


def test_what_cannot_be_done_is_said_and_taken_back(room: ExplorePage) -> None:
    room.open(**(AT | {"edits": "silence-0-1"}))
    expect(room.page.locator("[data-edit]")).to_have_count(1)
    room.open(**(AT | {"edits": "silence-0-99"}))
    expect(room.page.get_by_role("alert").filter(has_text="99")).to_be_visible()
    expect(room.page.locator("[data-edit]")).to_have_count(0)
    expect(slider(room, 6)).to_be_enabled()


def test_a_newer_edit_drops_the_question_about_the_older(room: ExplorePage) -> None:
    room.open(**AT)
    page = room.page
    expect(page.locator("[data-moved]")).to_be_visible()
    asked: list[str] = []

    def slow(route: Route) -> None:
        asked.append(route.request.post_data or "")
        if len(asked) > 2:
            route.continue_()  # the first two are never answered

    page.route("**/api/touches**", slow)
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.failure or ""))
    slider(room, 6).focus()
    page.keyboard.press("PageUp")
    page.wait_for_function("() => document.querySelectorAll('[data-edit]').length === 1")
    page.wait_for_timeout(400)
    assert len(asked) == 2  # the trace and its prediction
    slider(room, 6).evaluate(
        "input => { for (let time = 0; time < 5; time += 1) input.dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'ArrowUp', bubbles: true, cancelable: true})) }"
    )
    page.wait_for_function("() => +document.querySelector('[data-moved]').dataset.moved > 0")
    assert len(asked) == 4  # one more pair for five keys
    assert failed == ["net::ERR_ABORTED"] * 2


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800), (1920, 1080)])
@pytest.mark.parametrize("view", ["touch", "compare"])
def test_nothing_runs_off_the_screen(room: ExplorePage, width: int, height: int, view: str) -> None:
    room.page.set_viewport_size({"width": width, "height": height})
    room.open(**(AT | {"view": view, "edits": "silence-0-1_weight-1-2-4-6-0.5"}))
    expect(room.page.locator("[data-moved]").first).to_be_visible()
    assert room.page.evaluate("document.documentElement.scrollWidth") <= width
    off = room.page.evaluate(
        "[...document.querySelectorAll('#view :is(button, select, input, table)')].filter(e => {"
        " const b = e.getBoundingClientRect();"
        " return b.width > 0 && (b.left < -1 || b.right > innerWidth + 1) }).length"
    )
    assert off == 0
