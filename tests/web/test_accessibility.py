"""axe-core finds nothing serious on any room and any way of seeing that the page itself offers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from studio_process import ROOT

pytestmark = pytest.mark.browser

AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
SCREENS = [(1280, 800), (390, 844)]
SETTINGS = [("es", "light", 1280), ("en", "dark", 1280), ("es", "dark", 390), ("en", "light", 390)]
"""Language, theme and width: each theme and each language on either screen."""

FOUND = """async () => {
    const found = await axe.run(document, { resultTypes: ["violations"] });
    return found.violations
        .filter(one => one.impact === "serious" || one.impact === "critical")
        .map(one => `${one.id}: ${one.help}\\n` + one.nodes.map(node =>
            `    ${node.target.join(" ")}: ${node.failureSummary}`).join("\\n"));
}"""


@pytest.fixture(scope="module")
def axe(built_page: None) -> str:
    """axe-core's script, of the front end's own packages."""
    if not AXE.is_file():
        pytest.skip("web/node_modules has no axe-core: npm ci")
    return Path(AXE).read_text(encoding="utf-8")


@pytest.fixture(params=SCREENS, ids=lambda screen: f"{screen[0]}px")
def screen(request: Any, browser: Browser, studio: str) -> Iterator[Page]:
    width, height = request.param
    context = browser.new_context(
        base_url=studio,
        viewport={"width": width, "height": height},
        bypass_csp=True,  # axe is not the page's own script
        reduced_motion="reduce",  # a colour half-way to another is nobody's
    )
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def serious(page: Page, axe: str) -> list[str]:
    """What axe-core finds serious or critical on the page as it is."""
    page.wait_for_load_state("networkidle")
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(axe)
    found: list[str] = page.evaluate(FOUND)
    return found


def rooms(page: Page) -> list[str]:
    """The addresses of the rooms that the page's navigation offers."""
    links = page.get_by_role("navigation").first.get_by_role("link")
    return [link.get_attribute("href") or "" for link in links.all()]


@pytest.mark.parametrize(
    ("language", "theme", "screen"),
    [
        (language, theme, screen)
        for language, theme, width in SETTINGS
        for screen in SCREENS
        if screen[0] == width
    ],
    indirect=["screen"],
)
def test_every_room_and_view(screen: Page, axe: str, language: str, theme: str) -> None:
    setting = f"lang={language}&theme={theme}"
    screen.goto(f"/?{setting}")
    addresses = rooms(screen)
    assert "/" in addresses
    problems = []
    for address in addresses:
        screen.goto(f"{address}?{setting}")
        expect(screen.get_by_role("main")).to_be_visible()
        if address == "/":
            expect(screen.locator("[role=gridcell]:not(.waiting)").first).to_be_visible()
        tabs = screen.get_by_role("tab").all()
        problems += [f"{address}: {one}" for one in serious(screen, axe)]
        for tab in tabs:
            tab.click()
            expect(tab).to_have_attribute("aria-selected", "true")
            expect(screen.get_by_role("tabpanel").first).to_be_visible()
            if address == "/":
                expect(screen.locator("#view > *").first).to_be_visible()
            where = f"{address} {tab.inner_text()}"
            problems += [f"{where}: {one}" for one in serious(screen, axe)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_seldom_seen(screen: Page, axe: str, theme: str) -> None:
    """An error, a source token that is none, a head pointed at, a long text."""
    screen.goto(f"/?theme={theme}&token=none")
    expect(screen.locator("[role=gridcell]:not(.waiting)").first).to_be_visible()
    problems = serious(screen, axe)
    screen.locator("#text").fill("  ")
    expect(screen.locator("#notice p")).to_be_visible()
    problems += serious(screen, axe)
    screen.goto(f"/?theme={theme}&model=long-llama&text={'El+perro+ladra.+' * 60}")
    expect(screen.locator("[role=gridcell]:not(.waiting)").first).to_be_visible()
    screen.locator("[role=gridcell]").nth(1).hover()
    problems += serious(screen, axe)
    assert not problems, "\n".join(problems)


def test_axe_would_find_something(screen: Page, axe: str) -> None:
    """A button without a name, and grey on grey: the check itself works."""
    screen.goto("/")
    screen.evaluate(
        "document.querySelector('#app').insertAdjacentHTML('beforeend',"
        " '<button></button><p class=wrong>gris</p>')"
    )
    screen.evaluate("document.querySelector('.wrong').style.color = '#eee'")
    problems = "\n".join(serious(screen, axe))
    assert "button-name" in problems
    assert "color-contrast" in problems
