"""The first paint: soon, without a model, of the page's own shape, and nothing moves afterwards."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from explore_page import SENTENCE, ExplorePage
from playwright.sync_api import Browser, BrowserContext, expect

import vitral.studio
from served_studio import Served, served, until
from vitral.messages import message
from vitral.studio.application import create_app

pytestmark = pytest.mark.browser

STATIC = Path(vitral.studio.__file__).parent / "static"
SCREENS = [(390, 844), (1280, 800), (1920, 1080)]

WATCH = """() => {
    window.moved = [];
    new PerformanceObserver(list => {
        for (const entry of list.getEntries()) window.moved.push([entry.value,
            entry.sources.map(s => [s.node && (s.node.id || s.node.className),
                s.previousRect.y, s.currentRect.y].join(" "))]);
    }).observe({ type: "layout-shift", buffered: true });
}"""
PAINTED = 'performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null'
MOVING = """() => [...document.querySelectorAll("*")].filter(e => {
    const style = getComputedStyle(e);
    const seconds = style.transitionDuration.split(",").map(parseFloat);
    return style.animationName !== "none" || Math.max(...seconds) > 0;
}).map(e => e.className.baseVal ?? e.className)"""


@pytest.fixture(scope="module")
def own_studio(built_page: None, bert_folder: Path) -> Iterator[Served]:
    with served(create_app([str(bert_folder)])) as studio:
        yield studio


@pytest.fixture
def context(browser: Browser, own_studio: Served) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=own_studio.address, locale="es-ES")
    context.set_default_timeout(30_000)
    yield context
    context.close()


def imported(script: Path) -> set[Path]:
    """A built script and what it imports before it runs."""
    found, left = set(), [script]
    while left:
        script = left.pop()
        if script not in found:
            found.add(script)
            text = script.read_text(encoding="utf-8")
            names = re.findall(r'(?:from|import)\s*"\./([\w.-]+\.js)"', text)
            left += [script.parent / name for name in names]
    return found


def test_the_initial_script_is_small(built_page: None) -> None:
    """What index.html loads, and Explore's own part: at most 250 kB as it travels."""
    index = (STATIC / "index.html").read_text(encoding="utf-8")
    names = re.findall(r'src="/([^"]+\.js)"', index)
    (explore,) = STATIC.glob("assets/Explore-*.js")
    scripts = imported(explore).union(*(imported(STATIC / name) for name in names))
    size = sum(len(gzip.compress(script.read_bytes())) for script in scripts)
    assert len(scripts) >= 3
    assert 20_000 < size <= 250_000


def test_the_programs_do_not_grow(built_page: None) -> None:
    """What three rooms load as they open, the notebook's widget and the offline page, as they
    travel: about what they were before pictures came."""

    def size(*files: Path) -> int:
        return sum(len(gzip.compress(file.read_bytes())) for file in files)

    for room in ("Explore", "Write", "Train"):
        (script,) = STATIC.glob(f"assets/{room}-*.js")
        assert 50_000 < size(*imported(script)) <= 112_000, room
    package = STATIC.parents[1]
    assert 100_000 < size(package / "notebook/static/widget.js") <= 183_000
    assert 100_000 < size(package / "assets/page/page.html") <= 180_000


def test_fonts_are_asked_for_with_the_page(built_page: None) -> None:
    index = (STATIC / "index.html").read_text(encoding="utf-8")
    preloaded = {tag for tag in re.findall(r"<link[^>]+>", index) if 'rel="preload"' in tag}
    fonts = {file.name for file in STATIC.glob("assets/*.woff2")}
    assert len(fonts) == 2
    assert all(any(f"/assets/{font}" in tag for tag in preloaded) for font in fonts)


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_the_page_is_painted_before_any_model_and_keeps_its_shape(
    context: BrowserContext, own_studio: Served, width: int, height: int
) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": height})
    page.add_init_script(f"({WATCH})()")
    text = SENTENCE + " " * SCREENS.index((width, height))  # one that Studio has not seen
    with own_studio.session.catalog.borrow("small-bert"):  # as while it is being read
        page.goto("/?" + urlencode({"text": text}))
        until(lambda: own_studio.session.workshop.num_pending == 1)
        # No blank moment: the sentence, what will be tokens, a pane for each head, and words.
        expect(page.locator("#text")).to_have_value(text)
        assert page.locator(".chips .waiting").count() > 3
        heads = 4 if width < 800 else 12
        expect(page.locator("[role=gridcell].waiting")).to_have_count(heads)
        expect(page.locator("#view")).to_have_text(message("studio.loading", "es"))
        painted = page.evaluate(PAINTED)
        assert painted is not None
    ExplorePage(page).filled()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    moved: list[Any] = page.evaluate("window.moved")
    assert sum(value for value, _ in moved) <= 0.02, moved


def test_the_first_paint_comes_within_a_second(context: BrowserContext, own_studio: Served) -> None:
    """The best of five loads: the processors may be busy with other work."""
    painted = []
    with own_studio.session.catalog.borrow("small-bert"):
        for _ in range(5):
            page = context.new_page()
            page.goto("/?text=Otro+texto.")
            page.wait_for_function(f"() => {PAINTED} !== null")
            painted.append(page.evaluate(PAINTED))
            page.close()
    assert min(painted) < 1000, painted


def test_nothing_moves_for_those_who_want_it_still(browser: Browser, own_studio: Served) -> None:
    def moving(wish: str) -> list[str]:
        context = browser.new_context(base_url=own_studio.address, reduced_motion=wish)  # type: ignore[arg-type]
        page = context.new_page()
        room = ExplorePage(page).open()
        with own_studio.session.catalog.borrow("small-bert"):
            room.text.fill(f"La abuela, {wish}.")
            until(lambda: own_studio.session.workshop.num_pending == 1)
            expect(page.locator(".busy")).to_be_visible()
            found: list[str] = page.evaluate(MOVING)
            if wish == "reduce":
                assert page.evaluate("document.getAnimations().length") == 0
        context.close()
        return found

    assert moving("no-preference")
    assert moving("reduce") == []
