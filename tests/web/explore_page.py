"""The Explore room as a test sees it: by the roles and names that people and screen readers use."""

from urllib.parse import parse_qs, urlencode, urlsplit

import torch
from playwright.sync_api import Locator, Page, expect

from vitral.explain.changed_prediction import PredictionChange

ROW_IS = """([expected, tolerance]) => {
    const rows = [...document.querySelectorAll("tr[data-key]")];
    const weight = row => +row.querySelector("[data-weight]").dataset.weight;
    const shown = new Map(rows.map(row => [+row.dataset.key, Math.fround(weight(row))]));
    return shown.size === expected.length &&
        expected.every((weight, key) => Math.abs(shown.get(key) - weight) <= tolerance);
}"""

SENTENCE = "El perro que persiguió al gato cruzó la calle."


class ExplorePage:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.text = page.locator("#text")
        self.chips = page.get_by_role("listbox").first.get_by_role("option")
        self.notice = page.locator("#notice")
        self.selected_pane = page.locator("[role=gridcell][aria-selected=true]")

    def open(self, **place: object) -> "ExplorePage":
        """Open an address, and wait until its panes and its view are there."""
        self.page.goto("/?" + urlencode(place) if place else "/")
        return self.filled()

    def filled(self) -> "ExplorePage":
        expect(self.page.locator("[role=gridcell]:not(.waiting)").first).to_be_visible()
        expect(self.page.locator("#view > *").first).to_be_visible()
        return self

    def pane(self, layer: int, head: int) -> Locator:
        return self.page.locator(f"[role=gridcell][data-layer='{layer}'][data-head='{head}']")

    def show(self, view: str) -> None:
        """Choose a view by the name of its tab."""
        self.page.get_by_role("tab", name=view).click()

    def place(self) -> dict[str, str]:
        """What the address says."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.page.url).query).items()}

    def expect_place(self, **expected: str) -> None:
        """Wait until the address says so."""
        self.page.wait_for_function(
            "expected => { const said = new URLSearchParams(location.search);"
            " return Object.entries(expected).every(([k, v]) => said.get(k) === v) }",
            arg=expected,
        )

    def expect_row(self, row: torch.Tensor, tolerance: float = 2e-7) -> None:
        """Wait until the numbers shown are these weights [tokens], by default within two units of
        float32's last place: one row alone is multiplied in another order than all of them."""
        expected = [float(weight) for weight in row]
        self.page.wait_for_function(ROW_IS, arg=[expected, tolerance])

    def expect_prediction(self, change: PredictionChange) -> None:
        """Wait until Touch shows this change, its first tokens and its one number."""
        expected = {
            name: [[each.id, getattr(each, name)] for each in getattr(change, name)[:5]]
            for name in ("before", "after")
        } | {
            name: [[each.id, each.change] for each in getattr(change, name)[:5]]
            for name in ("rose", "fell")
        }
        self.page.wait_for_function(
            """([lists, moved]) => {
                const near = (a, b) => Math.abs(a - b) <= 1e-4 * Math.max(1e-3, Math.abs(b));
                const said = document.querySelector("[data-moved]");
                if (!said || !near(+said.dataset.moved, moved)) return false;
                return Object.entries(lists).every(([name, list]) => {
                    const items = [...document.querySelectorAll(`[data-list=${name}] li[data-id]`)];
                    return items.length === list.length && items.every((item, at) =>
                        +item.dataset.id === list[at][0] && near(+item.dataset.value, list[at][1]));
                });
            }""",
            arg=[expected, change.moved],
        )

    def expect_largest(
        self, left: torch.Tensor, right: torch.Tensor, tolerance: float = 1e-6
    ) -> None:
        """Wait until Compare's table holds the dozen largest entries of left − right [pieces,
        pieces]."""
        changed = left - right
        order = changed.abs().flatten().sort(descending=True).values[:12]
        self.page.wait_for_function(
            """([changed, order, tolerance]) => {
                const rows = [...document.querySelectorAll("tr[data-difference]")];
                return rows.length === order.length && rows.every((row, at) => {
                    const shown = +row.dataset.difference;
                    return Math.abs(Math.abs(shown) - order[at]) < tolerance &&
                        Math.abs(shown - changed[row.dataset.query][row.dataset.key]) < tolerance;
                });
            }""",
            arg=[changed.tolist(), order.tolist(), tolerance],
        )
