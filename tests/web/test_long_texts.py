"""Texts of thousands of tokens in a real browser: the map to zoom in, and what surrounds it."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from explore_page import SENTENCE, ExplorePage
from playwright.sync_api import Browser, Page, Route, expect
from studio_process import running_studio

import vitral
from vitral.explain import strongest_weights
from vitral.messages import message
from vitral.tracing import Trace

pytestmark = pytest.mark.browser

NUM_SENTENCES = 220
TEXT = " ".join(f"{SENTENCE} {number}." for number in range(NUM_SENTENCES))
LAYER, HEAD = 1, 2


@pytest.fixture(scope="module")
def book_folder(llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small Llama with a context of 131,072: rotary positions have no weights."""
    folder = tmp_path_factory.mktemp("models") / "book-llama"
    shutil.copytree(llama_folder, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["max_position_embeddings"] = 131_072
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trace(book_folder: Path) -> Trace:
    found: Trace = vitral.load(str(book_folder)).trace(TEXT)
    assert 2500 < len(found.tokens) < 6000
    return found


@pytest.fixture(scope="module")
def library(built_page: None, book_folder: Path, bert_folder: Path) -> Iterator[str]:
    with running_studio(book_folder, bert_folder) as (address, _):
        yield address


@pytest.fixture
def reader(browser: Browser, library: str) -> Iterator[ExplorePage]:
    """A Spanish reader before a short text, seen as a map; the page may say nothing aloud."""
    context = browser.new_context(
        base_url=library, locale="es-ES", viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    room = ExplorePage(page)
    room.open(view="map", at=f"layers.{LAYER}.attention.pattern", head=HEAD)
    yield room
    context.close()
    assert said == []


@pytest.fixture
def room(reader: ExplorePage) -> ExplorePage:
    """The same reader before the long text."""
    reader.text.fill(TEXT)
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator("[data-level]")).to_be_visible(timeout=120_000)
    return reader


def settle(page: Page) -> None:
    """Wait until no tile is on its way, and the last one is drawn."""
    page.wait_for_timeout(100)
    page.locator("[data-level][aria-busy=false]").wait_for()
    page.wait_for_timeout(250)


def told(room: ExplorePage) -> str:
    return room.page.locator(".summary [aria-live]").inner_text()


def numbers(words: str) -> list[float]:
    """The numbers of a Spanish sentence."""
    found = re.findall(r"\d[\d.]*(?:,\d+)?", words)
    return [float(each.rstrip(".").replace(".", "").replace(",", ".")) for each in found]


def level(room: ExplorePage) -> int:
    return int(room.page.locator("[data-level]").get_attribute("data-level") or -1)


def test_pooled_cells_then_exact_ones(room: ExplorePage, trace: Trace) -> None:
    address = f"layers.{LAYER}.attention.pattern"
    cells = room.page.get_by_role("application")
    settle(room.page)
    cell = 2 ** level(room)
    assert cell >= 8
    cells.focus()
    room.page.keyboard.press("Home")
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight"):
        room.page.keyboard.press(key)
    for pooling, reduction in (("mean", "mean"), ("max", "max")):
        room.page.locator(".tools select").select_option(pooling)
        settle(room.page)
        expect(room.page.locator(".summary [aria-live]")).to_contain_text("miran a")
        first, last, left, right, weight = numbers(told(room))
        assert (first % cell, last, right) == (0, first + cell - 1, left + cell - 1)
        rows, columns = (int(first), int(last) + 1), (int(left), int(right) + 1)
        part = trace.view(address, HEAD, rows=rows, columns=columns, cell=cell, reduction=reduction)
        assert weight == pytest.approx(float(part.values), rel=0.06, abs=6e-5)
    # Closer and closer, to single weights.
    for _ in range(12):
        cells.focus()
        room.page.keyboard.press("+")
    settle(room.page)
    assert level(room) == 0
    room.page.keyboard.press("ArrowDown")
    expect(room.page.locator(".summary [aria-live]")).to_contain_text("mira a")
    query, key, weight = numbers(re.sub("«.*?»", "", told(room)))
    exact = float(trace.attention(LAYER, HEAD)[int(query), int(key)])
    assert weight == pytest.approx(exact, rel=0.06, abs=6e-5)
    room.page.keyboard.press("Enter")
    room.expect_place(token=str(int(query)))
    room.page.keyboard.press("0")
    assert 2 ** level(room) == cell


def test_the_strongest_weights_and_the_way_there(room: ExplorePage, trace: Trace) -> None:
    room.page.get_by_role("button", name="Mayores pesos").click()
    places = room.page.locator("[data-query]")
    expected = strongest_weights(trace, layer=LAYER, head=HEAD, count=100, least_key=1, apart=2)
    expect(places).to_have_count(100)
    shown = room.page.eval_on_selector_all(
        "[data-query]",
        "all => all.map(e => [+e.dataset.query, +e.dataset.key,"
        " +e.querySelector('[data-weight]').dataset.weight])",
    )
    assert [each[2] for each in shown] == pytest.approx([w.weight for w in expected], rel=1e-5)
    pattern = trace.attention(LAYER, HEAD)
    for query, key, weight in shown[:10]:
        assert weight == pytest.approx(float(pattern[query, key]), rel=1e-5)
    places.nth(5).click()
    query, key, weight = shown[5]
    room.expect_place(token=str(query), key=str(key))
    settle(room.page)
    assert level(room) == 0
    said = numbers(re.sub("«.*?»", "", told(room)))
    assert said == pytest.approx([query, key, weight], abs=6e-5)
    # By keyboard to the next; with all of them, the first token's come first.
    places.nth(5).focus()
    room.page.keyboard.press("ArrowDown")
    expect(places.nth(6)).to_be_focused()
    room.expect_place(token=str(shown[6][0]))
    room.page.get_by_role("checkbox", name="Dejar fuera").uncheck()
    every = strongest_weights(trace, layer=LAYER, head=HEAD, count=100)
    first = room.page.locator("[data-query] [data-weight]").first
    expect(first).to_have_attribute("data-weight", re.compile(f"{every[0].weight:.3f}"[:4]))


def test_words_are_found(room: ExplorePage, trace: Trace) -> None:
    box = room.page.get_by_role("searchbox")
    box.fill("PERSIGUIÓ")
    expect(room.page.get_by_text(f"{NUM_SENTENCES} coincidencias")).to_be_visible()
    box.press("Enter")
    box.press("Enter")
    places = [m.start() for m in re.finditer("persiguió", TEXT)]
    second = next(
        position
        for position, token in enumerate(trace.tokens)
        if token.end is not None and token.end > places[1]
    )
    room.expect_place(token=str(second))
    settle(room.page)
    assert numbers(re.sub("«.*?»", "", told(room)))[:2] == [second, second]
    box.fill("pingüino azul")
    expect(room.page.get_by_text("Ninguna coincidencia")).to_be_visible()


def test_a_tile_in_view_is_all_that_is_asked_for(room: ExplorePage) -> None:
    """A finer tile's place is not empty while it comes; what left the window is not waited for."""
    settle(room.page)
    held: list[Route] = []
    aborted: set[str] = set()
    room.page.on("requestfailed", lambda request: aborted.add(request.url))

    def hold(route: Route) -> None:
        held.append(route)

    room.page.route(re.compile(r"/view\?.*cell=[12]$"), hold)
    room.page.get_by_role("application").focus()
    while level(room) > 1:
        room.page.keyboard.press("+")
    room.page.wait_for_timeout(800)
    waiting = {route.request.url for route in held} - aborted
    assert 0 < len(waiting) <= 4
    colours = room.page.evaluate(
        """() => {
            const canvas = document.querySelector(".room canvas");
            const map = document.querySelector("[data-level]");
            const [a, b] = [canvas.getBoundingClientRect(), map.getBoundingClientRect()];
            const paper = canvas.getContext("2d");
            const pixels = paper.getImageData(b.x - a.x, b.y - a.y, b.width, b.height);
            return new Set(new Uint32Array(pixels.data.buffer)).size;
        }"""
    )
    assert colours > 3  # the coarser tile's, not one colour
    room.page.keyboard.press("0")
    room.page.wait_for_timeout(500)
    assert {route.request.url for route in held} <= aborted


def test_lists_come_in_portions(room: ExplorePage, trace: Trace) -> None:
    size = len(trace.tokens)
    expect(room.chips).to_have_count(512)
    room.page.get_by_role("button", name="Siguientes").first.click()
    expect(room.chips.first).to_have_attribute("data-token", "512")
    source = room.page.locator("#source")
    source.fill(str(size - 1))
    source.press("Enter")
    room.expect_place(token=str(size - 1))
    expect(room.chips.last).to_have_attribute("data-token", str(size - 1))
    expect(room.chips.last).to_have_attribute("aria-selected", "true")
    room.show("Números")
    rows = room.page.locator("tr[data-key]")
    expect(rows).to_have_count(512)
    row = trace.attention(LAYER, HEAD)[size - 1]
    shown = room.page.eval_on_selector_all(
        "tr[data-key] [data-weight]", "all => all.map(e => +e.dataset.weight)"
    )
    assert shown == pytest.approx(sorted(row.tolist(), reverse=True)[:512], abs=1e-6)
    room.show("Líneas")
    expect(room.page.locator(f".right [data-key='{int(row.argmax())}'].most")).to_be_visible()
    assert room.page.locator("#view .token").count() < 80
    # Without a source token, the head's strongest links.
    source.fill("")
    source.press("Enter")
    expect(room.page.locator(".between path")).to_have_count(14)
    best = strongest_weights(trace, layer=LAYER, head=HEAD, count=1, least_key=1, apart=2)[0]
    expect(room.page.locator(f".right [data-key='{best.key}']")).to_be_visible()


def test_a_long_text_waits_to_be_read_and_its_link_opens_again(reader: ExplorePage) -> None:
    before = reader.page.url
    reader.text.fill(TEXT)
    expect(reader.page.get_by_text(message("studio.text_unread", "es"))).to_be_visible()
    reader.page.wait_for_timeout(700)
    assert reader.page.url == before
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator("[data-level]")).to_be_visible(timeout=120_000)
    reader.page.wait_for_function("() => location.search.includes('trace=')")
    assert len(reader.page.url) < 400
    reader.page.reload()
    expect(reader.page.locator("[data-level]")).to_be_visible()
    expect(reader.text).to_have_value(TEXT)
    reader.page.goto(re.sub("trace=[0-9a-f]+", "trace=" + "0" * 32, reader.page.url))
    expect(reader.notice).to_have_text(message("error.link_gone", "es"))


def test_too_long_says_how_long_and_what_to_do(reader: ExplorePage, book_folder: Path) -> None:
    reader.page.get_by_label("Modelo").select_option("small-bert")
    text = " ".join([SENTENCE] * 30)
    reader.text.fill(text)
    expect(reader.notice).to_contain_text("admite 64 como máximo")
    expect(reader.notice.locator(".bar")).to_have_count(2)
    shorten = reader.page.get_by_role("button", name="Leer solo el principio (64 tokens)")
    larger = reader.page.get_by_role("button", name=re.compile("Leerlo entero con"))
    expect(larger.last).to_contain_text("book-llama")
    shorten.click()
    expect(reader.chips.last).to_have_text("[SEP]")
    expect(reader.notice).to_have_text("")
    assert 56 < reader.chips.count() <= 64
    kept = reader.text.input_value()
    assert text.startswith(kept)
    reader.text.fill(text)
    larger.last.click()
    expect(reader.notice).to_have_text("")
    expect(reader.page.get_by_label("Modelo")).to_have_value("book-llama")
    expect(reader.chips.last).to_have_text(".")
