"""Draws the figures that docs/figures.md shows, and takes the pictures of its page.

    python docs/images/figures.py                  all of them, on the bundled models
    python docs/images/figures.py --only page      those whose name begins so

Needs matplotlib (pip install "vitral[plot]"), and for the page Debian's Chromium (or $CHROMIUM).
"""

import argparse
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

import vitral
from vitral.tracing import Trace

HERE = Path(__file__).parent
SENTENCE = "El perro que persiguió al gato cruzó la calle."
QUIJOTE = (
    "En un lugar de la Mancha, de cuyo nombre no quiero acordarme, no ha mucho tiempo que vivía "
    "un hidalgo de los de lanza en astillero, adarga antigua, rocín flaco y galgo corredor. "
)
NAMES = ("chromium", "chromium-headless-shell", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def traced(model: str, text: str) -> Trace:
    trace: Trace = vitral.load(model).trace(text)
    return trace


def figures() -> dict[str, Callable[[], object]]:
    """Each picture by its name, and what draws it."""
    encoder = traced("vitral-es-bert", SENTENCE)
    decoder = traced("vitral-es-gpt", SENTENCE)
    long = traced("vitral-es-gpt", QUIJOTE * 5)
    return {
        "figure-map.svg": lambda: decoder.plot("heat", layer=2, head=1, language="en"),
        "figure-lines.svg": lambda: decoder.plot("lines", layer=2, head=1, language="en"),
        "figure-token.svg": lambda: encoder.plot(
            "lines", layer=0, head=7, token=8, language="es", dark=True
        ),
        "figure-grid.svg": lambda: decoder.plot("grid", language="en", width=120),
        "figure-long.svg": lambda: long.plot("heat", layer=3, head=4, language="en"),
        "figure-groups.png": lambda: long.plot("lines", layer=3, head=1, language="en"),
    }


def page_pictures(names: list[str], folder: Path) -> None:
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)))
    path = folder / "page.html"
    traced("vitral-es-gpt", SENTENCE).to_html(path, layer=2, head=1, token=9)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for name in names:
            phone = "phone" in name
            context = browser.new_context(
                viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 800},
                locale="es-ES" if "-es-" in name else "en-GB",
                color_scheme="dark" if "dark" in name else "light",
                device_scale_factor=1,
                offline=True,
            )
            page = context.new_page()
            page.goto(path.as_uri())
            page.wait_for_selector("#view [data-weight]")
            page.wait_for_timeout(500)
            page.screenshot(path=HERE / name)
            context.close()
        browser.close()


PAGES = ("page-en-light.png", "page-es-dark-phone.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="pictures whose name begins so")
    only = parser.parse_args().only
    for name, draw in figures().items():
        if name.startswith(only):
            figure = draw()
            dots = {"dpi": 150} if name.endswith(".png") else {}
            figure.savefig(HERE / name, **dots)  # type: ignore[attr-defined]
            print(name)
    names = [name for name in PAGES if name.startswith(only)]
    if names:
        with TemporaryDirectory() as folder:
            page_pictures(names, Path(folder))
        print(*names, sep="\n")


if __name__ == "__main__":
    main()
