"""Every picture of every view, opened again and compared with what is on the page."""

import re
import struct
from pathlib import Path
from typing import Any

import pytest
from explore_page import ExplorePage
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

VIEWS = (
    *("lines", "map", "numbers", "components", "arithmetic"),
    *("heads", "graph", "path", "next", "touch", "compare"),
)
TALLEST_PNG = 6000
"""In pixels; the tallest, Compare's with its tables, has about 4,000."""

KEEP_SVG = """const source = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, "src");
Object.defineProperty(HTMLImageElement.prototype, "src", { ...source, set(value) {
    if (value.startsWith("data:image/svg")) window.drawn = decodeURIComponent(value);
    source.set.call(this, value);
} });"""
"""Keeps the drawing that a PNG is made of."""

ON_THE_PAGE = """() => {
    const view = document.querySelector("#view");
    const left = ".button, .unseen, label:has(input), [role=group]:has(.button), canvas, script";
    const found = [];
    const walk = document.createTreeWalker(view, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const parent = walk.currentNode.parentElement;
        if (parent.closest(left) || parent.closest("select, option, textarea, title")) continue;
        if (parent.closest("details:not([open])") || !parent.checkVisibility()) continue;
        if (getComputedStyle(parent).visibility === "hidden") continue;
        found.push(...walk.currentNode.data.split(/\\s+/));
    }
    for (const each of view.querySelectorAll("select"))
        found.push(...each.selectedOptions[0].text.split(/\\s+/));
    const idle = [...view.querySelectorAll(".idle")].filter(each =>
        getComputedStyle(each, "::before").content !== "none");
    return [found.filter(Boolean), idle.length];
}"""

IN_THE_DRAWING = """svg => {
    const host = document.createElement("div");
    host.innerHTML = svg.slice(svg.indexOf("<svg")).replace(/<style>.*?<\\/style>/s, "");
    host.style.cssText = "position:absolute;left:0;top:0";
    document.body.append(host);
    const inside = host.firstChild;
    const texts = [...inside.querySelectorAll("text")].map(text => {
        const { left, top, right, bottom, width } = text.getBoundingClientRect();
        let [seen, parted] = [true, false];
        for (let each = text.closest("[clip-path]"); each;
             each = each.parentElement.closest("[clip-path]")) {
            const id = each.getAttribute("clip-path").slice(5, -1);
            const rect = inside.querySelector(`[id="${id}"] rect`);
            const box = each.getScreenCTM(), y = +rect.getAttribute("y");
            const low = box.d * (y + +rect.getAttribute("height")) + box.f;
            seen &&= top < low - 1;
            parted ||= top < low - 3 && bottom > low + 3;
        }
        return { words: text.textContent, left, top, right, bottom, width, seen, parted };
    });
    const [width, height] = ["width", "height"].map(name => +inside.getAttribute(name));
    host.remove();
    return { texts, width, height };
}"""


def picture(room: ExplorePage, kind: str, folder: Path) -> tuple[tuple[int, int], dict[str, Any]]:
    """A PNG's size in pixels, and the texts in the drawing that it was made of."""
    room.page.get_by_role("button", name=re.compile("Export")).click()
    with room.page.expect_download() as found:
        room.page.locator(f"[data-export={kind}]").click()
    found.value.save_as(path := folder / found.value.suggested_filename)
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    return (width, height), room.page.evaluate(IN_THE_DRAWING, room.page.evaluate("drawn"))


def words(drawn: dict[str, Any]) -> list[str]:
    return [word for text in drawn["texts"] if text["seen"] for word in text["words"].split()]


def overlapping(drawn: dict[str, Any]) -> list[tuple[str, str]]:
    """Pairs of upright texts of which one is painted over the other."""
    texts = [each for each in drawn["texts"] if each["seen"] and each["width"] > 1]
    return [
        (one["words"], other["words"])
        for at, one in enumerate(texts)
        for other in texts[at + 1 :]
        if min(one["right"], other["right"]) - max(one["left"], other["left"]) > 6
        and min(one["bottom"], other["bottom"]) - max(one["top"], other["top"]) > 12
    ]


@pytest.mark.parametrize("view", VIEWS)
def test_pictures_and_slides_say_what_the_page_says(page: Page, tmp_path: Path, view: str) -> None:
    page.add_init_script(KEEP_SVG)
    room = ExplorePage(page).open(view=view, layer=1, head=2, token=4, lang="en")
    expect(page.locator("#view .waiting")).to_have_count(0)
    expect(page.locator("#view [aria-busy=true]")).to_have_count(0)
    page.wait_for_function("() => document.querySelector('#view').innerText.length > 20")
    if view == "heads":  # what holds in other sentences is worked out after the rest
        expect(page.locator("[data-head-row] td.number:nth-child(3)").first).to_contain_text(
            re.compile(r"\d")
        )
    (width, height), drawn = picture(room, "png", tmp_path)
    said, idle = page.evaluate(ON_THE_PAGE)
    assert (width, height) == (2 * drawn["width"], 2 * drawn["height"])
    assert height <= TALLEST_PNG
    assert set(said) <= set(words(drawn))
    leaning = view in {"map", "compare", "components"}  # column labels lean over one another
    assert leaning or not overlapping(drawn)
    if view == "heads":
        assert idle >= 1  # the legend's own
    size, slide = picture(room, "slide", tmp_path)
    assert size == (1920, 1080)
    assert not [text["words"] for text in slide["texts"] if text["parted"]]
    assert all(text["bottom"] <= 1080 for text in slide["texts"] if text["seen"])
    if view == "compare":
        assert "Difference: left − right" in [text["words"] for text in slide["texts"]]
        assert "↔" in words(slide)
    assert not page.locator("#view").get_attribute("style")  # the page stays as it was
