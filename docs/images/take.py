"""Takes the pictures of the rooms that the documentation shows.

    python docs/images/take.py                      the bundled models, all pictures
    python docs/images/take.py --model FOLDER       another model (as vitral studio --model)
    python docs/images/take.py --only explore-es    those whose name begins so

Starts Studio by itself on a free port, and drives Debian's Chromium (or $CHROMIUM).
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
QUIJOTE = (
    "En un lugar de la Mancha, de cuyo nombre no quiero acordarme, no ha mucho tiempo que vivía "
    "un hidalgo de los de lanza en astillero, adarga antigua, rocín flaco y galgo corredor."
)


@dataclass(frozen=True)
class Picture:
    """One file: what is opened, and on which screen. `place` goes into the page's address."""

    name: str
    language: str
    theme: str
    place: tuple[tuple[str, str], ...] = ()
    width: int = 1280
    height: int = 800
    room: str = "/"


PICTURES = (
    Picture("explore-es-light", "es", "light"),
    Picture("explore-en-light", "en", "light"),
    Picture("explore-en-dark", "en", "dark"),
    Picture("explore-en-dark-map", "en", "dark", (("view", "map"),)),
    Picture("explore-en-light-numbers", "en", "light", (("view", "numbers"),)),
    Picture(
        "explore-es-light-arithmetic",
        "es",
        "light",
        (
            ("at", "layers.1.attention.pattern"),
            ("head", "4"),
            ("token", "7"),
            ("view", "arithmetic"),
        ),
        height=1000,
    ),
    Picture("explore-es-light-long", "es", "light", (("text", " ".join([QUIJOTE] * 3)),)),
    Picture("explore-es-dark-phone", "es", "dark", width=390, height=844),
    Picture("write-es-light", "es", "light", (("seed", "7"),), room="/write"),
    Picture("write-en-dark", "en", "dark", (("seed", "7"),), 1920, 1080, room="/write"),
    Picture(
        "write-es-light-strategies",
        "es",
        "light",
        (("seed", "7"), ("mode", "race")),
        room="/write",
    ),
    Picture("write-es-dark-phone", "es", "dark", (("seed", "7"),), 390, 844, room="/write"),
)


@contextmanager
def studio(models: list[str]) -> Iterator[str]:
    """The address of a Studio that runs as long as the block."""
    command = [sys.executable, "-m", "vitral", "studio", "--no-browser", "--port", "0"]
    for model in models:
        command += ["--model", model]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if "http://" not in line:
                sys.exit("Studio did not start; what it said stands above.")
            yield line.split()[-1].rstrip("/")
        finally:
            process.terminate()
            process.wait(20)


def take(browser: Browser, address: str, picture: Picture) -> Path:
    """Open the picture's place, wait until it is complete, and save it."""
    context = browser.new_context(
        base_url=address,
        locale={"es": "es-ES", "en": "en-US"}[picture.language],
        color_scheme="dark" if picture.theme == "dark" else "light",
        viewport={"width": picture.width, "height": picture.height},
        device_scale_factor=2,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{picture.room}?" + urlencode(picture.place))
    if picture.room == "/write":
        write(page)
    else:
        look(page, picture.name)
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(400)
    path = HERE / f"{picture.name}.png"
    page.screenshot(path=path)
    context.close()
    return path


def look(page: Page, name: str) -> None:
    """Wait until the Explore room is complete."""
    page.wait_for_selector("[role=gridcell]:not(.waiting), #notice p", timeout=120_000)
    if page.locator("#notice p").count():
        sys.exit(f"{name}: {page.locator('#notice').inner_text()}")
    page.wait_for_selector("#view :is(svg, canvas, table)", timeout=60_000)


def write(page: Page) -> None:
    """Have a text written, in the Write room, and a second branch of it; or all strategies."""
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--model", action="append", default=[], help="as vitral studio --model")
    parser.add_argument("--only", default="", help="pictures whose name begins so")
    asked = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        sys.exit("No Chromium found: apt-get install chromium (or set CHROMIUM to its path).")
    with studio(asked.model) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for picture in PICTURES:
            if picture.name.startswith(asked.only):
                print(take(browser, address, picture).relative_to(ROOT))
        browser.close()


if __name__ == "__main__":
    main()
