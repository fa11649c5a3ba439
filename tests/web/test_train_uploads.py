"""A text on its way to the Train room: how much has arrived, cancelled, refused, in its place."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect
from serious import serious
from studio_process import running_studio
from tests.training.small_runs import BOOK

pytestmark = pytest.mark.browser

LONG = (BOOK * (3_000_000 // len(BOOK))).encode()
SLOW, FAST = 400_000, 0
"""Bytes a second on the way to Studio; 0 for as many as there are."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studio") / "runs"


@pytest.fixture(scope="module")
def studio(built_page: None, bert_folder: Path, runs: Path) -> Iterator[str]:
    """A Studio of this file's own."""
    with running_studio(bert_folder, runs=runs) as (address, _):
        yield address


@contextmanager
def on_a_slow_line(page: Page) -> Iterator[CDPSession]:
    """Uploads crawl; what is in the middle can be looked at."""
    browser = page.context.new_cdp_session(page)
    browser.send("Network.enable")
    pace(browser, SLOW)
    yield browser
    pace(browser, FAST)
    browser.detach()


def pace(browser: CDPSession, upload: int) -> None:
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1}
    conditions["uploadThroughput"] = upload or -1
    browser.send("Network.emulateNetworkConditions", conditions)


def give(page: Page, name: str, content: bytes) -> None:
    file: Any = {"name": name, "mimeType": "text/plain", "buffer": content}
    page.locator("input[type=file]").set_input_files(file)


def kept(runs: Path) -> list[str]:
    folder = runs / ".studio" / "uploads"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_how_much_has_arrived_is_told_until_it_is_there(page: Page) -> None:
    page.goto("/train")
    bar = page.get_by_role("progressbar", name="Subiendo «Camino.txt»…")
    with on_a_slow_line(page) as browser:
        give(page, "Camino.txt", LONG)
        expect(bar).to_be_visible()
        page.wait_for_function("() => 0.1 < document.querySelector('progress').value")
        share = float(bar.evaluate("bar => bar.value"))
        assert 0.1 < share < 1
        assert "de 3,2 MB" in str(bar.get_attribute("aria-valuetext"))
        expect(page.get_by_text("de 3,2 MB")).to_contain_text("%")
        expect(page.get_by_role("button", name="Cancelar")).to_be_focused()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert serious(page, "main") == []
        # Another room, and back: it goes on.
        page.get_by_role("link", name="Escribir").click()
        page.get_by_role("link", name="Entrenar").click()
        expect(bar).to_be_visible()
        assert float(bar.evaluate("bar => bar.value")) >= share
        pace(browser, FAST)
        expect(page.get_by_role("radio", name="Camino")).to_be_checked()
    expect(bar).to_have_count(0)


def test_an_upload_is_cancelled_by_keyboard_and_leaves_nothing(page: Page, runs: Path) -> None:
    page.goto("/train")
    before = kept(runs)
    with on_a_slow_line(page):
        give(page, "Nunca.txt", LONG)
        page.wait_for_function("() => 0 < (document.querySelector('progress')?.value ?? 0)")
        expect(page.get_by_role("button", name="Cancelar")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("progressbar")).to_have_count(0)
        expect(page.locator("input[type=file]")).to_be_focused()
        expect(page.locator("#upload-problem")).to_be_empty()
    expect(page.get_by_role("radio", name="Nunca")).to_have_count(0)
    for _ in range(100):
        if kept(runs) == before:
            break
        page.wait_for_timeout(100)
    assert kept(runs) == before
    give(page, "Nunca.txt", BOOK.encode())  # the same name again, and the keyboard is on it
    expect(page.get_by_role("radio", name="Nunca")).to_be_checked()
    expect(page.get_by_role("radio", name="Nunca")).to_be_focused()


def test_a_text_that_is_refused_on_its_way_says_why(page: Page) -> None:
    page.goto("/train?lang=en")
    give(page, "Roto.txt", LONG + b"\xff")
    alert = page.locator("#upload-problem")
    expect(alert).to_contain_text(f"“Roto.txt” is not UTF-8 (byte {len(LONG):,})")
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.locator("input[type=file]")).to_be_focused()
