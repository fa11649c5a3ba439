"""Takes pictures of the page's rooms and views.

    python docs/images/take.py                      those that the documentation shows
    python docs/images/take.py --only explore-es    of these, the ones whose name begins so
    python docs/images/take.py --all FOLDER         every scene, size, theme and language
    python docs/images/take.py --model FOLDER       with another model (as vitral studio --model)

Starts Studio by itself on a free port, and drives Debian's Chromium (or $CHROMIUM).
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NAMES = ("chromium", "chromium-headless-shell", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
QUIJOTE = (
    "En un lugar de la Mancha, de cuyo nombre no quiero acordarme, no ha mucho tiempo que vivía "
    "un hidalgo de los de lanza en astillero, adarga antigua, rocín flaco y galgo corredor."
)
BANK = "El banco estaba cerrado porque el financiero llegó tarde."
BENCH = "El banco estaba verde porque lo acababan de pintar."
TROUBLE = "#notice p"
HEAD = {"at": "layers.1.attention.pattern", "head": "4", "token": "7"}


@dataclass(frozen=True)
class Scene:
    """A place in the page, what is done there, and what stands there once it is complete."""

    path: str
    place: dict[str, str]
    complete: str
    act: Callable[[Page], None] | None = None


def view(name: str, **place: str) -> Scene:
    """One of Explore's ways of seeing, complete when its panes and its picture are there."""
    filled = ".window:has([role=gridcell]:not(.waiting))"
    complete = f"{filled} ~ .pane #view :is(svg, canvas, table, [data-moved])"
    return Scene("/", {"view": name, **place}, complete)


def write(page: Page) -> None:
    """Have a text written, and a second branch of it; or in all strategies."""
    page.locator("button.primary:enabled").click(timeout=120_000)
    page.wait_for_selector("button.primary:not(.running), article.best", timeout=120_000)
    if page.locator("article").count():
        page.wait_for_selector("article.best", timeout=120_000)
        return
    page.locator(".written").nth(39).wait_for(timeout=120_000)
    page.locator("[data-candidate]:enabled").first.wait_for()
    page.locator(".written").nth(20).click()
    page.locator(".rest").first.wait_for()
    page.locator("[data-candidate]:enabled").nth(3).click()
    page.locator(".branches [role=option]").nth(1).wait_for()
    page.locator("button.primary").click()
    page.locator(".written").nth(60).wait_for(timeout=120_000)
    page.locator("[data-candidate]:enabled").first.wait_for()
    page.mouse.move(0, 0)


def export(page: Page) -> None:
    """Open the menu of what a view can be saved as."""
    page.locator("#view :is(svg, canvas)").first.wait_for()
    page.locator("[aria-controls=export-list]:enabled").click()
    page.locator("[data-export]").first.wait_for()


def train(page: Page) -> None:
    """Have a small model learn the offered sentences, and go to where its attention stands out."""
    page.locator("button[type=submit]").wait_for()
    begun = page.request.get("/api/training").json()["runs"]
    if not begun:
        text = page.request.get("/api/training").json()["texts"][0]
        asked = {"text": text["id"], "name": text["name"], "watch": text["watched"]}
        answer = page.request.post("/api/training/runs", data={**asked, "minutes": 2})
        begun = [answer.json()]
    run = f"/api/training/runs/{begun[0]['id']}"
    while page.request.get(run).json()["state"] in {"queued", "preparing", "running"}:
        page.wait_for_timeout(1000)
    page.goto(f"/train?run={begun[0]['id']}&step=96")
    page.locator(".cells canvas").wait_for(timeout=60_000)
    page.wait_for_timeout(1000)


def steps(page: Page) -> None:
    """The same, beside a step at which little had been learned, further down on the page."""
    train(page)
    page.goto(f"{page.url}&beside=24")
    page.locator("[data-moved]").scroll_into_view_if_needed()


SCENES = {
    "lines": view("lines"),
    "map": view("map"),
    "numbers": view("numbers"),
    "arithmetic": view("arithmetic", **HEAD),
    "components": view("components", **HEAD),
    "heads": view("heads"),
    "graph": view("graph", token="7"),
    "path": view("path", text=BANK, beside=BENCH, token="2"),
    "next": view("next", token="7", blank="1"),
    "touch": view("touch", **HEAD, edits="silence-0-3_weight-1-4-7-2-0.6_blank-5"),
    "compare": view("compare", **HEAD, with_text="El perro que persiguió al niño cruzó la calle."),
    "write": Scene("/write", {"seed": "7"}, "button.primary:enabled", write),
    "strategies": Scene("/write", {"seed": "7", "mode": "race"}, "button.primary:enabled", write),
    "form": Scene("/train", {}, "button[type=submit]:enabled"),
    "train": Scene("/train", {}, "main button", train),
    "steps": Scene("/train", {}, "main button", steps),
    "export": Scene("/", {}, "#view svg path", export),
    "trouble": Scene("/", {"text": " ".join([QUIJOTE] * 9)}, TROUBLE),
    "long": view("lines", text=" ".join([QUIJOTE] * 3)),
}
"""Every room and view by its name: a new one is one line here."""

SIZES = {"phone": (390, 844), "tablet": (768, 1024), "desk": (1280, 800), "wall": (1920, 1080)}
THEMES = ("light", "dark")
LANGUAGES = {"es": "es-ES", "en": "en-US"}


@dataclass(frozen=True)
class Picture:
    """One file: which scene, in which language and theme, on which screen."""

    name: str
    scene: str
    language: str
    theme: str
    width: int = 1280
    height: int = 800


SHOWN = (
    Picture("explore-es-light", "lines", "es", "light"),
    Picture("explore-en-light", "lines", "en", "light"),
    Picture("explore-en-dark", "lines", "en", "dark"),
    Picture("explore-en-dark-map", "map", "en", "dark"),
    Picture("explore-en-light-numbers", "numbers", "en", "light"),
    Picture("explore-es-light-arithmetic", "arithmetic", "es", "light", height=1000),
    Picture("explore-es-light-components", "components", "es", "light"),
    Picture("explore-en-dark-heads", "heads", "en", "dark"),
    Picture("explore-es-light-graph", "graph", "es", "light"),
    Picture("explore-es-light-path", "path", "es", "light", height=1000),
    Picture("explore-en-light-next", "next", "en", "light", height=1000),
    Picture("explore-es-light-touch", "touch", "es", "light", height=1000),
    Picture("explore-en-dark-compare", "compare", "en", "dark", width=1600, height=1200),
    Picture("write-en-light", "write", "en", "light"),
    Picture("write-es-light", "write", "es", "light"),
    Picture("write-en-dark", "write", "en", "dark", 1920, 1080),
    Picture("write-es-light-strategies", "strategies", "es", "light"),
    Picture("write-es-dark-phone", "write", "es", "dark", 390, 844),
    Picture("train-es-light", "train", "es", "light", height=1000),
    Picture("train-en-light", "train", "en", "light", height=1000),
    Picture("explore-es-light-long", "long", "es", "light"),
    Picture("explore-es-dark-phone", "lines", "es", "dark", width=390, height=844),
)
"""Those that the documentation shows."""


def every_picture() -> Iterator[Picture]:
    """Every scene, at every size, in both languages and themes."""
    for scene, (size, (width, height)), language, theme in product(
        SCENES, SIZES.items(), LANGUAGES, THEMES
    ):
        yield Picture(f"{scene}-{size}-{language}-{theme}", scene, language, theme, width, height)


@contextmanager
def studio(models: list[str]) -> Iterator[str]:
    """The address of a Studio that runs as long as the block."""
    command = [sys.executable, "-m", "vitral", "studio", "--no-browser", "--port", "0"]
    for model in models:
        command += ["--model", model]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    runs = tempfile.TemporaryDirectory()
    command += ["--runs", runs.name]
    with (
        runs,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if "http://" not in line:
                sys.exit("Studio did not start; what it said stands above.")
            yield line.split()[-1].rstrip("/")
        finally:
            process.terminate()
            process.wait(20)


def take(browser: Browser, address: str, picture: Picture, folder: Path) -> Path:
    """Open the picture's scene, wait until it is complete, and save it."""
    scene = SCENES[picture.scene]
    context = browser.new_context(
        base_url=address,
        locale=LANGUAGES[picture.language],
        color_scheme="dark" if picture.theme == "dark" else "light",
        viewport={"width": picture.width, "height": picture.height},
        device_scale_factor=2,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{scene.path}?{urlencode(scene.place)}")
    page.wait_for_selector(f"{scene.complete}, {TROUBLE}", timeout=120_000)
    if scene.complete != TROUBLE and page.locator(TROUBLE).count():
        sys.exit(f"{picture.name}: {page.locator('#notice').inner_text()}")
    if scene.act is not None:
        scene.act(page)
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(400)
    path = folder / f"{picture.name}.png"
    page.screenshot(path=path)
    context.close()
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--model", action="append", default=[], help="as vitral studio --model")
    parser.add_argument("--only", default="", help="pictures whose name begins so")
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every scene, into this folder")
    asked = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        sys.exit("No Chromium found: apt-get install chromium (or set CHROMIUM to its path).")
    folder = asked.all or HERE
    folder.mkdir(parents=True, exist_ok=True)
    pictures = every_picture() if asked.all else SHOWN
    with studio(asked.model) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for picture in pictures:
            if picture.name.startswith(asked.only):
                print(take(browser, address, picture, folder))
        browser.close()


if __name__ == "__main__":
    main()
