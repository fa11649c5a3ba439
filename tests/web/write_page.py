"""The Write room as a test sees it."""

from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Locator, Page, expect

WRITTEN = """() => [...document.querySelectorAll(".text .written")]
    .filter(e => !e.querySelector(".name")).map(e => e.textContent).join("")"""
"""Tokens that are no text of their own are called by their names, which are not the text."""


class WritePage:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.beginning = page.locator("#beginning")
        self.notice = page.locator("#write-notice")
        self.primary = page.locator("button.primary")
        self.running = page.locator("button.primary.running")
        self.candidates = page.locator("[data-candidate]")
        self.written = page.locator(".text .written")
        self.rest = page.locator(".text .rest")
        self.branches = page.locator(".lanes [role=option]")

    def open(self, **place: object) -> "WritePage":
        """Open an address, and wait for the candidates."""
        self.page.goto("/write?" + urlencode(place, doseq=True))
        expect(self.candidates.first).to_be_visible(timeout=60_000)
        return self

    def write(self) -> None:
        """Press the button and wait until the writing has ended."""
        self.primary.click()
        self.wait_for_the_end()

    def wait_for_the_end(self) -> None:
        expect(self.running).to_have_count(0, timeout=60_000)
        expect(self.page.locator("ol.live")).to_have_count(0)

    def text(self) -> str:
        """What was written up to where the reader is, as it is seen."""
        return str(self.page.evaluate(WRITTEN))

    def step(self, name: str = "Un token") -> None:
        count = self.written.count()
        self.page.get_by_role("button", name=name).click()
        expect(self.written).to_have_count(count + 1)
        self.wait_for_the_end()
        expect(self.candidates.first).to_be_enabled()

    def shown(self) -> dict[int, tuple[float, float]]:
        """The candidates: share and the model's own probability by token."""
        rows = self.page.eval_on_selector_all(
            "[data-candidate]",
            "all => all.map(e => [+e.dataset.candidate, +e.dataset.share, +e.dataset.own])",
        )
        return {int(token): (share, own) for token, share, own in rows}

    def tab(self, name: str) -> Locator:
        return self.page.get_by_role("tab", name=name)

    def place(self) -> dict[str, list[str]]:
        """What the address says."""
        return parse_qs(urlsplit(self.page.url).query)

    def set(self, dial: str, value: float) -> None:
        """Move a dial."""
        self.page.locator(f"#{dial}").fill(str(value))
