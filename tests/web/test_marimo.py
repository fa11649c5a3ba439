"""A trace in a real marimo: the widget, and its traits in both directions."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from explore_page import SENTENCE
from jupyter_process import ROOT, free_port, wait_for
from notebook_page import HOST, WidgetPart
from playwright.sync_api import Browser, Page, expect

import vitral
from vitral.tracing import Trace

pytestmark = pytest.mark.browser

NOTEBOOK = """
# /// script
# [tool.marimo.display]
# theme = "dark"
# ///

import marimo

app = marimo.App(width="full")


@app.cell
def _():
    import marimo as mo
    import vitral

    trace = vitral.load({folder!r}).trace({text!r})
    return mo, trace


@app.cell
def _(mo):
    layer = mo.ui.number(0, 2, value=0, label="From Python")
    layer
    return (layer,)


@app.cell
def _(mo, trace):
    widget = trace.show(language="es", theme="light")
    shown = mo.ui.anywidget(widget)
    shown
    return (shown, widget)


@app.cell
def _(layer, widget):
    widget.layer = layer.value
    return


@app.cell
def _(mo, shown):
    looked_at = [shown.value[name] for name in ("layer", "head", "token")]
    mo.md(f"Python knows: {{looked_at}}")
    return


@app.cell
def _(trace):
    trace
    return
"""


@pytest.fixture(scope="module")
def trace(bert_folder: Path) -> Trace:
    return vitral.load(str(bert_folder)).trace(SENTENCE)


@pytest.fixture(scope="module")
def address(
    built_page: None, bert_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A marimo that runs the notebook; its settings are in a folder of its own."""
    folder = tmp_path_factory.mktemp("marimo")
    text = NOTEBOOK.lstrip().format(folder=str(bert_folder), text=SENTENCE)
    (folder / "cuaderno.py").write_text(text, encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "marimo", "run", "cuaderno.py", "--headless", "--no-token"]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT / "src"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_STATE_HOME": str(folder / "state"),
        "MARIMO_SKIP_UPDATE_CHECK": "1",
    }
    with (
        (folder / "log.txt").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            [*command, f"--port={port}"], stdout=log, stderr=log, env=environment, cwd=folder
        ) as process,
    ):
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process, folder / "log.txt")
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(locale="es-ES", viewport={"width": 1280, "height": 1800})
    context.set_default_timeout(60_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(error.stack or str(error)))
    page.goto(address)
    yield page
    context.close()
    assert faults == []


def test_the_numbers_are_the_traces_own(page: Page, trace: Trace) -> None:
    shown = WidgetPart(page.locator(HOST).first).filled()
    expect(shown.chips).to_have_text([token.text for token in trace.tokens])
    expect(shown.panes).to_have_count(trace.num_layers * trace.num_heads)
    shown.pane(2, 3).click()
    shown.chips.nth(5).click()
    shown.tab("Números").click()
    shown.expect_row(trace.attention(2, 3)[5])
    # A cell that ends in the trace itself shows the same, in the theme of marimo.
    other = WidgetPart(page.locator(HOST).nth(1)).filled()
    expect(other.chips).to_have_text([token.text for token in trace.tokens])
    expect(shown.host).to_have_attribute("data-theme", "light")  # as Python said
    expect(other.host).to_have_attribute("data-theme", "dark")


def test_traits_go_both_ways(page: Page, trace: Trace) -> None:
    shown = WidgetPart(page.locator(HOST).first).filled()
    shown.pane(1, 2).click()
    shown.chips.nth(4).click()
    expect(page.get_by_text("Python knows: [1, 2, 4]")).to_be_visible()
    number = page.get_by_role("textbox", name="From Python")
    number.fill("2")
    number.press("Enter")
    shown.expect_head(2, 2)
    shown.tab("Números").click()
    shown.expect_row(trace.attention(2, 2)[4])
