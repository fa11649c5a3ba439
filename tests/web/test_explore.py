"""The Explore room in a real browser, on real (small, random) models."""

from pathlib import Path

import pytest
from explore_page import SENTENCE, ExplorePage
from playwright.sync_api import Page, expect

import vitral
from vitral.explain import arithmetic, query_key
from vitral.model import Model

pytestmark = pytest.mark.browser

OTHER = "La niña lee un libro en el jardín."


@pytest.fixture
def room(page: Page) -> ExplorePage:
    return ExplorePage(page)


@pytest.fixture(scope="module")
def bert(bert_folder: Path) -> Model:
    return vitral.load(str(bert_folder))


def test_the_first_view_is_complete(room: ExplorePage, bert: Model) -> None:
    room.open()
    expect(room.text).to_have_value(SENTENCE)
    expect(room.chips).to_have_text([token.text for token in bert.tokens(SENTENCE)])
    expect(room.page.locator("[role=gridcell]")).to_have_count(3 * 4)
    expect(room.page.locator("html")).to_have_attribute("lang", "es")
    # Every pane is painted: a canvas that is not shows one colour only.
    painted = room.page.eval_on_selector_all(
        "[role=gridcell] canvas",
        "all => all.map(c => new Set(new Uint32Array("
        "c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size)",
    )
    assert min(painted) > 5


def test_layers_stand_with_the_first_at_the_bottom(room: ExplorePage) -> None:
    room.open()
    top, bottom = room.pane(2, 0).bounding_box(), room.pane(0, 0).bounding_box()
    assert top is not None
    assert bottom is not None
    assert top["y"] < bottom["y"]


def test_a_typed_sentence_shows_the_models_own_numbers(room: ExplorePage, bert: Model) -> None:
    room.open(view="numbers", at="layers.1.attention.pattern", head=0)
    room.text.fill(OTHER)
    expect(room.chips).to_have_text([token.text for token in bert.tokens(OTHER)])
    trace = bert.trace(OTHER)
    room.chips.nth(3).click()
    layer, head = 1, 0
    room.expect_place(text=OTHER, at=f"layers.{layer}.attention.pattern", head="0", token="3")
    room.expect_row(trace.attention(layer=layer, head=head)[3])
    shown = room.page.locator("tr[data-key] .weight").all_text_contents()
    ordered = sorted(map(float, trace.attention(layer=layer, head=head)[3]), reverse=True)
    assert shown == [f"{weight:.4f}".replace(".", ",") for weight in ordered]


def test_every_head_is_reached_by_keyboard(room: ExplorePage, bert: Model) -> None:
    room.open(view="numbers", at="layers.0.attention.pattern", head=0, token=4)
    trace = bert.trace(SENTENCE)
    room.selected_pane.focus()
    room.expect_row(trace.attention(layer=0, head=0)[4])
    layer, head = 0, 0
    for key, step in [("Right", (0, 1)), ("Up", (1, 0)), ("Up", (1, 0)), ("Left", (0, -1))]:
        room.page.keyboard.press(f"Arrow{key}")
        layer, head = layer + step[0], head + step[1]
        expect(room.pane(layer, head)).to_be_focused()
        room.expect_place(at=f"layers.{layer}.attention.pattern", head=str(head))
        room.expect_row(trace.attention(layer=layer, head=head)[4])
    announcer = room.page.get_by_test_id("announcer")
    expect(announcer).to_contain_text("Capa 2, cabeza 0. «persiguió» mira sobre todo a")
    room.page.keyboard.press("End")
    room.expect_row(trace.attention(layer=2, head=3)[4])


def test_every_head_is_reached_by_mouse(room: ExplorePage, bert: Model) -> None:
    room.open(view="numbers", token=2)
    trace = bert.trace(SENTENCE)
    for layer, head in [(2, 3), (0, 1)]:
        room.pane(layer, head).click()
        room.expect_row(trace.attention(layer=layer, head=head)[2])
    room.page.locator("#layer").select_option("1")
    room.page.locator("#head").select_option("2")
    room.page.locator("#source").select_option("6")
    room.expect_row(trace.attention(layer=1, head=2)[6])


def test_the_lines_mark_the_source_and_the_most_attended(room: ExplorePage, bert: Model) -> None:
    room.open(at="layers.1.attention.pattern", head=2, token=4)
    row = bert.trace(SENTENCE).attention(layer=1, head=2)[4]
    best = int(row.argmax())
    tokens = bert.tokens(SENTENCE)
    expect(room.page.locator(".left .source")).to_have_text(tokens[4].text)
    expect(room.page.locator(".right .most span:first-child")).to_have_text(tokens[best].text)
    shown = room.page.eval_on_selector_all(
        ".right .weight", "all => all.map(o => Math.fround(+o.dataset.weight))"
    )
    assert shown == [float(weight) for weight in row]
    widths = room.page.eval_on_selector_all(
        ".between path", "all => all.map(p => +p.getAttribute('stroke-width'))"
    )
    assert widths == sorted(widths)
    assert len(widths) == int((row >= 0.004).sum())
    # Letting the source token go shows the head's strongest links.
    room.page.locator(".left .source").click()
    room.expect_place(token="none")
    expect(room.page.get_by_text("mayores pesos de esta cabeza")).to_be_visible()


def test_the_map_tells_each_cell(room: ExplorePage, bert: Model) -> None:
    room.open(view="map", at="layers.1.attention.pattern", head=1, token=4)
    pattern = bert.trace(SENTENCE).attention(layer=1, head=1)
    tokens = bert.tokens(SENTENCE)
    cells = room.page.get_by_role("application")
    cells.focus()
    for key in ["ArrowRight", "ArrowRight", "ArrowDown"]:
        room.page.keyboard.press(key)
    told = room.page.get_by_text(f"«{tokens[5].text}» mira a «{tokens[2].text}»")
    expect(told).to_contain_text(f"{float(pattern[5, 2]):.4f}".replace(".", ","))
    room.page.keyboard.press("Enter")
    room.expect_place(token="5")
    box = cells.bounding_box()
    assert box is not None
    cell = box["width"] / len(tokens)
    room.page.mouse.move(box["x"] + 7.5 * cell, box["y"] + 3.5 * cell)
    told = room.page.get_by_text(f"«{tokens[3].text}» mira a «{tokens[7].text}»")
    expect(told).to_contain_text(f"{float(pattern[3, 7]):.4f}".replace(".", ","))


def test_a_decoders_tokens_and_numbers(room: ExplorePage, llama_folder: Path) -> None:
    room.open(view="numbers", token=3)
    room.page.get_by_label("Modelo").select_option("small-llama")
    llama = vitral.load(str(llama_folder))
    expect(room.chips).to_have_text([token.text.strip() for token in llama.tokens(SENTENCE)])
    room.expect_place(model="small-llama")
    place = room.place()
    layer = int(place["at"].split(".")[1])
    pattern = llama.trace(SENTENCE).attention(layer=layer, head=int(place["head"]))
    room.expect_row(pattern[int(place["token"])])


def test_the_table_is_sorted_and_copied(room: ExplorePage, bert: Model) -> None:
    room.open(view="numbers", at="layers.2.attention.pattern", head=3, token=4)
    row = bert.trace(SENTENCE).attention(layer=2, head=3)[4]
    room.expect_row(row)
    room.page.get_by_role("button", name="Posición").click()
    expect(room.page.locator("tr[data-key]").first).to_have_attribute("data-key", "0")
    room.page.get_by_role("button", name="Copiar tabla").click()
    expect(room.page.get_by_role("button", name="Copiado")).to_be_visible()
    copied = room.page.evaluate("navigator.clipboard.readText()")
    lines = [line.split("\t") for line in copied.strip().split("\n")]
    assert lines[0] == ["Posición", "Token", "Peso"]
    tokens = bert.tokens(SENTENCE)
    assert [(int(a), b) for a, b, _ in lines[1:]] == [(i, t.text) for i, t in enumerate(tokens)]
    assert [float(weight) for _, _, weight in lines[1:]] == pytest.approx(row.tolist(), rel=1e-7)


def test_a_click_on_a_weight_opens_its_arithmetic(room: ExplorePage, bert: Model) -> None:
    room.open(view="lines", at="layers.1.attention.pattern", head=2, token=3, lang="en")
    room.page.locator("[data-key='5'] button.weight").click()
    room.expect_place(view="arithmetic", key="5")
    found = arithmetic(bert.trace(SENTENCE), layer=1, head=2, query=3, key=5)
    shown = room.page.locator("[data-dot]")
    expect(shown).to_have_text(f"{found.dot:.3f}".replace("-", "−"))
    expect(room.page.locator("[data-score]")).to_have_text(f"{found.score:.3f}".replace("-", "−"))
    expect(room.page.locator("tr[data-component]")).to_have_count(len(found.q))
    expect(room.page.locator("tr.chosen td").nth(2)).to_have_text(f"{found.weight:.4f}")
    # Another token of the row, by the keyboard's way.
    room.page.locator("#key").select_option("1")
    room.expect_place(key="1")
    other = arithmetic(bert.trace(SENTENCE), layer=1, head=2, query=3, key=1)
    expect(shown).to_have_text(f"{other.dot:.3f}".replace("-", "−"))
    # Another head keeps the pair; the copy is a program that runs.
    room.pane(0, 1).click()
    room.expect_place(at="layers.0.attention.pattern", key="1")
    third = arithmetic(bert.trace(SENTENCE), layer=0, head=1, query=3, key=1)
    expect(shown).to_have_text(f"{third.dot:.3f}".replace("-", "−"))
    room.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    room.page.get_by_role("button", name="Python").click()
    copied = room.page.evaluate("navigator.clipboard.readText()")
    assert copied == third.python()


def test_the_arithmetic_says_when_there_is_none_to_show(room: ExplorePage) -> None:
    room.open(view="arithmetic", token="none", lang="es")
    expect(room.page.locator("#view")).to_contain_text("Elige")
    room.chips.nth(2).click()
    expect(room.page.locator("[data-dot]")).to_be_visible()
    room.open(view="arithmetic", lang="en")
    expect(room.page.get_by_role("tab", name="Arithmetic")).to_have_attribute(
        "aria-selected", "true"
    )


def test_query_and_key_component_by_component(room: ExplorePage, bert: Model) -> None:
    room.open(view="components", at="layers.1.attention.pattern", head=2, token=3, lang="en")
    met = query_key(bert.trace(SENTENCE), layer=1, head=2, query=3)
    rows = room.page.locator("tr[data-met]")
    expect(rows).to_have_count(len(met.positions))
    scores = rows.evaluate_all(
        "rows => rows.map(r => +r.querySelector('[data-score]').dataset.score)"
    )
    assert scores == pytest.approx(met.scores.tolist(), abs=1e-5)
    # By keyboard: the fourth component of the second key, said with its numbers.
    group = room.page.get_by_role("group", name="component by component")
    group.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight"):
        group.press(key)
    said = f"{met.q[3]:.3f} × {met.keys[1, 3]:.3f} = {met.products[1, 3]:.3f}".replace("-", "−")
    expect(room.page.locator("#view")).to_contain_text(said)
    # The heaviest first; Enter opens its arithmetic.
    room.page.get_by_label("Largest weights first").check()
    heaviest = int(met.weights.argmax())
    expect(rows.first).to_have_attribute("data-met", str(heaviest))
    group.press("Home")
    group.press("PageUp")
    group.press("Enter")
    room.expect_place(view="arithmetic", key=str(heaviest))
    room.open(view="components", token="none", lang="es")
    expect(room.page.locator("#view")).to_contain_text("Elige un token")
