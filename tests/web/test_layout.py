"""Sizes: small and large screens, long texts, and how much is sent before the first picture."""

from pathlib import Path

import pytest
from explore_page import SENTENCE, ExplorePage
from playwright.sync_api import Page, Response, expect

import vitral

pytestmark = pytest.mark.browser

FOCUSED = """() => {
    const e = document.activeElement;
    if (e === document.body) return [null, false];
    const outlined = s => s !== null && parseFloat(getComputedStyle(s).outlineWidth) >= 2 &&
        getComputedStyle(s).outlineStyle !== "none";
    const name = e.id || e.ariaLabel || e.labels?.[0]?.textContent || e.textContent;
    return [name.trim(), outlined(e) || outlined(e.closest(".sentence"))];
}"""
"""The name of what has the keyboard's focus (null: nothing any more), and whether one sees it."""

SCREENS = [(390, 844), (1280, 800), (1920, 1080)]


@pytest.fixture
def room(page: Page) -> ExplorePage:
    return ExplorePage(page)


@pytest.mark.parametrize(("width", "height"), SCREENS)
@pytest.mark.parametrize("view", ["lines", "map", "numbers"])
def test_nothing_runs_off_the_screen(room: ExplorePage, width: int, height: int, view: str) -> None:
    room.page.set_viewport_size({"width": width, "height": height})
    room.open(view=view)
    wide = room.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    off = room.page.evaluate(
        "[...document.querySelectorAll('button, select, textarea, a')].filter(e => {"
        " const b = e.getBoundingClientRect();"
        " return b.width > 0 && (b.left < -1 || b.right > innerWidth + 1) }).length"
    )
    assert off == 0


@pytest.mark.parametrize("view", ["lines", "numbers", "graph", "arithmetic"])
def test_a_word_longer_than_the_screen(room: ExplorePage, view: str) -> None:
    word = "otorrinolaringolog" * 6 + "ía"
    for width in (1280, 390):
        room.page.set_viewport_size({"width": width, "height": 844})
        room.open(view=view, text=f"La {word} duerme.")
        assert room.page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_narrow_screen_shows_one_layer_as_a_strip(room: ExplorePage) -> None:
    room.page.set_viewport_size({"width": 390, "height": 844})
    room.open(at="layers.1.attention.pattern", head=0)
    expect(room.page.locator("[role=gridcell]")).to_have_count(4)
    room.selected_pane.focus()
    room.page.keyboard.press("ArrowUp")
    expect(room.pane(2, 0)).to_be_focused()
    room.expect_place(at="layers.2.attention.pattern")


def test_everything_is_reached_by_tab_and_seen(room: ExplorePage) -> None:
    room.open(at="layers.1.attention.pattern", head=0)
    room.page.locator("body").click(position={"x": 1, "y": 1})
    reached = []
    for _ in range(40):
        room.page.keyboard.press("Tab")
        name, outline = room.page.evaluate(FOCUSED)
        if name is None:
            break
        reached.append(name)
        assert outline, f"{name} shows no focus"
    for wanted in ["es, Español", "text", "layer", "head", "source", "tab-lines", "Copiar enlace"]:
        assert wanted in reached, reached
    assert "Capa 1, cabeza 0" in reached
    assert "persiguió" in reached


def test_long_texts_fold_and_stay_exact(room: ExplorePage, long_folder: Path) -> None:
    model = vitral.load(str(long_folder))
    text = " ".join([SENTENCE] * 30)
    num_tokens = len(model.tokens(text))
    assert 256 < num_tokens <= 512
    room.open(model="long-llama", text=text, at="layers.1.attention.pattern", head=2, token=150)
    pattern = model.trace(text).attention(layer=1, head=2)
    # The lines show the source token, its strongest link, and not all of the others.
    assert room.page.locator(".right .token").count() < 40
    best = int(pattern[150].argmax())
    expect(room.page.locator(f".right .token.most[data-key='{best}']")).to_be_visible()
    room.page.get_by_role("button", name=f"Ver los {num_tokens} tokens").click()
    expect(room.page.locator(".right .token")).to_have_count(num_tokens)
    room.show("Números")
    # One row and the whole matrix are multiplied in different orders.
    room.expect_row(pattern[150], tolerance=1e-6)
    # The map is reduced and says so; closer, it is exact.
    room.show("Mapa")
    expect(room.page.get_by_text("Cada celda es la media de varios pesos")).to_be_visible()
    closer = room.page.get_by_role("button", name="Acercar")
    closer.click()
    closer.click()
    cells = room.page.get_by_role("application")
    expect(room.page.get_by_text("Cada celda es la media de varios pesos")).to_have_count(0)
    cells.focus()
    room.page.keyboard.press("ArrowRight")
    expect(room.page.locator(".top [aria-live]")).to_contain_text("mira a")
    # Without a source token all links of 512 tokens can still be drawn.
    room.open(model="long-llama", text=text, token="none")
    expect(room.page.locator(".between path").first).to_be_attached()


def test_less_than_a_megabyte_before_the_first_picture(room: ExplorePage) -> None:
    sizes: list[int] = []

    def note(response: Response) -> None:
        if "/view" not in response.url:
            sizes.append(len(response.body()))

    room.page.on("response", note)
    room.open(model="long-llama", text=" ".join([SENTENCE] * 30))
    room.page.remove_listener("response", note)
    assert 0 < sum(sizes) < 1_000_000


def test_the_rooms_fit_beside_the_switches(room: ExplorePage) -> None:
    room.page.set_viewport_size({"width": 390, "height": 844})
    for language in ("es", "en"):
        room.open(lang=language)
        last = room.page.get_by_role("navigation").get_by_role("link").last.bounding_box()
        switches = room.page.locator("header .switches").bounding_box()
        assert last is not None
        assert switches is not None
        assert last["x"] + last["width"] <= switches["x"]
        assert switches["x"] + switches["width"] <= 390
