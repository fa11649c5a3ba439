"""Takes the pictures of the notebook's widget that the documentation shows.

    python docs/images/take_notebook.py

Runs the first cells of the example notebooks, on the bundled model, in a JupyterLab of its own,
and drives Debian's Chromium (or $CHROMIUM).
"""

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, expect, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "web"))

from jupyter_process import running_lab  # noqa: E402
from notebook_page import NotebookPage  # noqa: E402

NAMES = ("chromium", "chromium-headless-shell", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@dataclass(frozen=True)
class Picture:
    """One file: a notebook in JupyterLab's theme, in a window of some width."""

    name: str
    notebook: str
    theme: str
    width: int


PICTURES = (
    Picture("notebook-es-light", "atencion", "Light", 1040),
    Picture("notebook-es-light-narrow", "atencion", "Light", 720),
    Picture("notebook-en-dark", "attention", "Dark", 1040),
)


def up_to_the_widget(name: str) -> tuple[str, list[int]]:
    """A notebook's file cut after its first widget, and the places of its cells of code."""
    notebook = nbformat.read(ROOT / "docs" / "notebooks" / f"{name}.ipynb", as_version=4)
    last = next(i for i, cell in enumerate(notebook.cells) if ".show(" in cell.source)
    notebook.cells = notebook.cells[: last + 1]
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    return nbformat.writes(notebook), code


def take(browser: Browser, folder: Path) -> None:
    with running_lab(folder) as address:
        page = browser.new_page(base_url=address)
        page.set_default_timeout(120_000)
        opened = ""
        for picture in PICTURES:
            page.set_viewport_size({"width": picture.width, "height": 1000})
            notebook = NotebookPage(page)
            text, code = up_to_the_widget(picture.notebook)
            if picture.notebook != opened:
                (folder / f"{picture.notebook}.ipynb").write_text(text, encoding="utf-8")
                notebook.open(f"{picture.notebook}.ipynb")
                for number in code[:-1]:
                    notebook.execute(number)
                notebook.run(code[-1])
                opened = picture.notebook
            notebook.theme(picture.theme)
            widget = notebook.widget(code[-1])
            widget.host.scroll_into_view_if_needed()
            page.wait_for_timeout(1500)
            widget.host.screenshot(path=HERE / f"{picture.name}.png")


def main() -> None:
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    os.environ["HF_HUB_OFFLINE"] = "1"  # the bundled model
    expect.set_options(timeout=60_000)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        take(browser, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
