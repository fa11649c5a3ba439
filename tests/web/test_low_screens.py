"""Laptops and projectors, whose windows are low: the page scrolls, to its end and no further."""

from urllib.parse import urlencode

import pytest
from explore_page import SENTENCE, ExplorePage
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

LOW = [(1366, 625), (1280, 580)]
ENDS = """() => [
    document.documentElement.scrollHeight,
    Math.max(innerHeight,
        scrollY + document.querySelector("footer").getBoundingClientRect().bottom),
]"""


@pytest.mark.parametrize(("width", "height"), LOW)
def test_all_tokens_of_the_seed_sentence_are_seen(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto("/?" + urlencode({"text": SENTENCE, "view": "lines"}))
    ExplorePage(page).filled()
    box = page.locator("#view .scroll")
    expect(box.locator(".left [role=option]")).to_have_count(page.locator(".chips button").count())
    inside = box.evaluate("box => [box.scrollHeight - box.clientHeight, box.clientHeight]")
    assert inside[0] <= 1
    assert inside[1] >= 300
    assert page.evaluate("document.documentElement.scrollHeight > innerHeight")  # by the wheel


@pytest.mark.parametrize(("width", "height"), [*LOW, (1280, 800)])
@pytest.mark.parametrize("view", ["next", "compare", "path"])
def test_the_page_ends_where_its_content_ends(
    page: Page, width: int, height: int, view: str
) -> None:
    """What only screen readers read (captions, heads of tables) does not lengthen the page."""
    page.set_viewport_size({"width": width, "height": height})
    page.goto("/?" + urlencode({"text": SENTENCE, "view": view}))
    # Each of the three has hidden captions once it has come.
    expect(page.locator("#view .unseen").first).to_be_attached()
    expect(page.locator("#view [aria-busy=true]")).to_have_count(0)
    scrolled, end = page.evaluate(ENDS)
    assert abs(scrolled - end) <= 2
