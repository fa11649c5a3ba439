"""A notebook in JupyterLab as a test uses it: cells to run, Python to ask, widgets to look at."""

import ast
import json
import time
from typing import Any

import nbformat
import torch
from playwright.sync_api import Locator, Page, expect

HOST = "[data-lm-suppress-shortcuts]"
"""What a widget puts into its notebook; the rest is in its shadow."""

STARTING = 120_000
"""Milliseconds for a kernel to start on a busy machine."""

READY = """() => {
    const shown = window.jupyterapp?.shell.currentWidget;
    return shown?.sessionContext?.session?.kernel?.status === "idle";
}"""

UNCOVERED = "() => !document.querySelector('#jupyterlab-splash')"
"""JupyterLab's splash screen is gone. Shown again before that (at a start, at a change of theme),
it is taken away twice, and the second time is an error of JupyterLab's on the console."""

CHANGE_THEME = """async theme => {
    if (document.body.dataset.jpThemeName === theme) return;
    await jupyterapp.commands.execute("apputils:change-theme", { theme });
}"""

RUN_CELL = """async number => {
    const { content } = jupyterapp.shell.currentWidget;
    const { model } = content.widgets[number];
    content.activeCellIndex = number;
    model.executionCount = null;
    await jupyterapp.commands.execute("notebook:run-cell");
    // The command may come back before a busy kernel has begun; the number comes at the end.
    while (model.executionCount === null) await new Promise(next => setTimeout(next, 50));
}"""

ASK = """async code => {
    const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
    const asked = kernel.requestExecute({ code, silent: true, store_history: false,
        user_expressions: { found: "__import__('json').dumps(found)" } });
    const { content } = await asked.done;
    if (content.status !== "ok") throw new Error(`${content.ename}: ${content.evalue}`);
    return content.user_expressions.found.data["text/plain"];
}"""

ROW_IS = """(root, [expected, tolerance]) => {
    const rows = [...root.shadowRoot.querySelectorAll("tr[data-key]")];
    const weight = row => Math.fround(+row.querySelector("[data-weight]").dataset.weight);
    const shown = new Map(rows.map(row => [+row.dataset.key, weight(row)]));
    return shown.size === expected.length &&
        expected.every((weight, key) => Math.abs(shown.get(key) - weight) <= tolerance);
}"""


def written(*cells: str) -> str:
    """The file of a notebook with these cells of code."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    text: str = nbformat.writes(notebook)
    return text


class NotebookPage:
    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, name: str) -> "NotebookPage":
        self.page.goto(f"/doc/tree/{name}")
        self.page.wait_for_function(READY, timeout=STARTING)
        self.page.wait_for_function(UNCOVERED)
        return self

    def run(self, number: int) -> "WidgetPart":
        """Run a cell to its end; the widget in its output."""
        self.execute(number)
        return self.widget(number).filled()

    def execute(self, number: int) -> None:
        """Run a cell to its end."""
        self.page.evaluate(RUN_CELL, number)

    def widget(self, number: int) -> "WidgetPart":
        cell = self.page.locator(".jp-Notebook-cell").nth(number)
        return WidgetPart(cell.locator(f".jp-OutputArea {HOST}"))

    @property
    def active_cell(self) -> int:
        found: int = self.page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex")
        return found

    def python(self, found: str, doing: str = "") -> Any:
        """The value of an expression in the notebook's own kernel, after `doing` something."""
        return json.loads(ast.literal_eval(self.page.evaluate(ASK, f"{doing}\nfound = {found}")))

    def expect_python(self, found: str, value: object) -> None:
        """Wait until an expression has this value."""
        end = time.monotonic() + 90
        while (now := self.python(found)) != value:
            assert time.monotonic() < end, f"{found} is {now}, and never {value}"
            self.page.wait_for_timeout(50)

    def theme(self, name: str) -> None:
        """JupyterLab's own: "Light" or "Dark"."""
        self.page.evaluate(CHANGE_THEME, f"JupyterLab {name}")
        self.page.wait_for_function(UNCOVERED)


class WidgetPart:
    """One widget on the page, by the roles and names that people use."""

    def __init__(self, host: Locator) -> None:
        self.host = host
        self.chips = self.host.get_by_role("listbox").first.get_by_role("option")
        self.panes = self.host.get_by_role("gridcell")
        self.selected_pane = self.host.locator("[role=gridcell][aria-selected=true]")

    def filled(self) -> "WidgetPart":
        expect(self.host.locator("[role=gridcell]:not(.waiting)").first).to_be_visible()
        expect(self.host.locator("#view > *").first).to_be_visible()
        return self

    def pane(self, layer: int, head: int) -> Locator:
        return self.host.locator(f"[role=gridcell][data-layer='{layer}'][data-head='{head}']")

    def tab(self, name: str) -> Locator:
        return self.host.get_by_role("tab", name=name)

    def expect_head(self, layer: int, head: int) -> None:
        expect(self.selected_pane).to_have_attribute("data-layer", str(layer))
        expect(self.selected_pane).to_have_attribute("data-head", str(head))

    def expect_row(self, row: torch.Tensor) -> None:
        """Wait until the numbers shown are these weights [tokens], to 1e-6: processes may
        multiply in another order."""
        expected = [float(weight) for weight in row]
        end = time.monotonic() + 90
        while not self.host.evaluate(ROW_IS, [expected, 1e-6]):
            assert time.monotonic() < end, f"never showed {expected}"
            self.host.page.wait_for_timeout(50)
