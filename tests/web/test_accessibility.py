"""axe-core finds nothing serious on any room and any way of seeing that the page itself offers."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from serious import serious

pytestmark = pytest.mark.browser

SCREENS = [(1280, 800), (390, 844)]
SETTINGS = [("es", "light", 1280), ("en", "dark", 1280), ("es", "dark", 390), ("en", "light", 390)]
"""Language, theme and width: each theme and each language on either screen."""


@pytest.fixture(params=SCREENS, ids=lambda screen: f"{screen[0]}px")
def screen(request: Any, browser: Browser, studio: str) -> Iterator[Page]:
    width, height = request.param
    context = browser.new_context(
        base_url=studio,
        viewport={"width": width, "height": height},
        bypass_csp=True,  # axe is not the page's own script
    )
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def found_on(page: Page) -> list[str]:
    """What is serious on the page as soon as it is at rest."""
    page.wait_for_load_state("networkidle")
    return serious(page)


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
def test_every_room_and_view(screen: Page, language: str, theme: str) -> None:
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
        problems += [f"{address}: {one}" for one in found_on(screen)]
        for tab in tabs:
            tab.click()
            expect(tab).to_have_attribute("aria-selected", "true")
            expect(screen.get_by_role("tabpanel").first).to_be_visible()
            if address == "/":
                expect(screen.locator("#view > *").first).to_be_visible()
            where = f"{address} {tab.inner_text()}"
            problems += [f"{where}: {one}" for one in found_on(screen)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_seldom_seen(screen: Page, theme: str) -> None:
    """An error, a source token that is none, a head pointed at, a long text."""
    screen.goto(f"/?theme={theme}&token=none")
    expect(screen.locator("[role=gridcell]:not(.waiting)").first).to_be_visible()
    problems = found_on(screen)
    screen.locator("#text").fill("  ")
    expect(screen.locator("#notice p")).to_be_visible()
    problems += found_on(screen)
    screen.goto(f"/?theme={theme}&model=long-llama&text={'El+perro+ladra.+' * 60}")
    expect(screen.locator("[role=gridcell]:not(.waiting)").first).to_be_visible()
    screen.locator("[role=gridcell]").nth(1).hover()
    problems += found_on(screen)
    assert not problems, "\n".join(problems)


def test_axe_would_find_something(screen: Page) -> None:
    """A button without a name, and grey on grey: the check itself works."""
    screen.goto("/")
    screen.evaluate(
        "document.querySelector('#app').insertAdjacentHTML('beforeend',"
        " '<button></button><p class=wrong>gris</p>')"
    )
    screen.evaluate("document.querySelector('.wrong').style.color = '#eee'")
    problems = "\n".join(found_on(screen))
    assert "button-name" in problems
    assert "color-contrast" in problems


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize(("width", "large"), [(320, False), (390, False), (390, True)])
def test_the_menu_stands_free_on_a_narrow_screen(
    page: Page, language: str, width: int, large: bool
) -> None:
    page.set_viewport_size({"width": width, "height": 640})
    page.goto(f"/?lang={language}")
    if large:  # text alone at 200 %
        page.evaluate("document.documentElement.style.fontSize = '30px'")
    expect(page.locator("header nav a")).to_have_count(4)
    boxes = page.evaluate(
        """() => [...document.querySelectorAll("header a, header button")].map(each => {
            const { left, top, right, bottom } = each.getBoundingClientRect();
            return [left, top, right, bottom];
        })"""
    )
    for at, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 0
        assert right <= width
        assert min(right - left, bottom - top) >= 24
        for other in boxes[at + 1 :]:
            beside = right <= other[0] + 1 or other[2] <= left + 1
            assert beside or bottom <= other[1] + 1 or other[3] <= top + 1
