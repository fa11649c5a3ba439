"""Memory of Studio and of its page while somebody uses them at random, by default for an hour.

    python benchmarks/explore_hour.py
    python benchmarks/explore_hour.py --minutes 10 --seed 3

One page stays open: short texts and long ones, heads, tokens, ways of seeing, zooming, moving,
finding, languages and themes, as chance (with a seed) has it. Every so often the memory is noted
after the browser has collected its garbage: the server's resident bytes, the page's JavaScript
heap, its nodes and listeners. No growth means that the last third's median is no more than that of
the middle third, within a tenth: the first is the time in which Studio's store of traces fills.
Writes benchmarks/results/explore_hour.json.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from explore import FLAGS, ROOT, processor, running_studio
from explore_long import server_memory
from random_llama import NUM_HEADS, NUM_LAYERS, save_model, text_of

RESULTS = ROOT / "benchmarks" / "results" / "explore_hour.json"
WORDS = "el la un perro gato niña libro calle mar casa lee cruza duerme mira y que de".split()  # noqa: SIM905
LENGTHS = (300, 700, 1500, 3000)
KEYS = ("ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "PageDown", "Home", "End", "+", "-", "0")
MEASURED = ("server_bytes", "heap_bytes", "nodes", "listeners")


class Reader:
    """Does one thing after another, and waits for none longer than a person would."""

    def __init__(self, page: Any, folder: Path, seed: int) -> None:
        self.page = page
        self.folder = folder
        self.chance = random.Random(seed)
        self.done: dict[str, int] = {}

    def act(self) -> None:
        acts: list[tuple[Callable[[], None], int]] = [
            (self.short_text, 3),
            (self.long_text, 1),
            (self.head, 6),
            (self.token, 4),
            (self.view, 5),
            (self.keys, 6),
            (self.drag, 5),
            (self.wheel, 5),
            (self.find, 2),
            (self.strongest, 2),
            (self.language_or_theme, 1),
            (self.back, 1),
        ]
        act = self.chance.choices([a for a, _ in acts], [weight for _, weight in acts])[0]
        act()
        self.done[act.__name__] = self.done.get(act.__name__, 0) + 1
        self.page.wait_for_timeout(self.chance.randrange(50, 700))

    def short_text(self) -> None:
        self.page.fill(
            "#text", " ".join(self.chance.choices(WORDS, k=self.chance.randrange(2, 25)))
        )

    def long_text(self) -> None:
        length = self.chance.choice(LENGTHS)
        self.page.fill("#text", text_of(self.folder, length, self.chance.randrange(1000)))
        self.page.press("#text", "Enter")

    def head(self) -> None:
        self.page.select_option("#layer", str(self.chance.randrange(NUM_LAYERS)))
        self.page.select_option("#head", str(self.chance.randrange(NUM_HEADS)))

    def token(self) -> None:
        chips = self.page.locator("[data-token]")
        if count := chips.count():
            chips.nth(self.chance.randrange(count)).click()

    def view(self) -> None:
        tabs = self.page.get_by_role("tab")
        tabs.nth(self.chance.randrange(tabs.count())).click()

    def keys(self) -> None:
        map_ = self.page.get_by_role("application")
        if map_.count():
            map_.focus()
            for key in self.chance.choices(KEYS, k=6):
                self.page.keyboard.press(key)

    def drag(self) -> None:
        if box := self._map():
            x = box["x"] + self.chance.random() * box["width"]
            y = box["y"] + self.chance.random() * box["height"]
            self.page.mouse.move(x, y)
            self.page.mouse.down()
            self.page.mouse.move(x + self.chance.randrange(-200, 200), y - 60, steps=8)
            self.page.mouse.up()

    def wheel(self) -> None:
        if box := self._map():
            self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            self.page.mouse.wheel(0, self.chance.choice((-400, -200, 200, 500)))

    def find(self) -> None:
        box = self.page.locator("#find")
        if box.count():
            box.fill(self.chance.choice(WORDS))
            box.press("Enter")

    def strongest(self) -> None:
        button = self.page.locator(".bar button[aria-expanded]")
        if button.count():
            button.click()

    def language_or_theme(self) -> None:
        buttons = self.page.locator("header button")
        buttons.nth(self.chance.randrange(buttons.count())).click()

    def back(self) -> None:
        self.page.evaluate("history.back()")

    def _map(self) -> dict[str, float] | None:
        map_ = self.page.get_by_role("application")
        found: dict[str, float] | None = map_.bounding_box() if map_.count() else None
        return found


def memory(session: Any) -> dict[str, int]:
    """What server and page hold now, in bytes and pieces."""
    session.send("HeapProfiler.collectGarbage")
    found = {
        each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]
    }
    return {
        "server_bytes": server_memory(),
        "heap_bytes": int(found["JSHeapUsedSize"]),
        "nodes": int(found["Nodes"]),
        "listeners": int(found["JSEventListeners"]),
    }


def growth(series: list[dict[str, Any]]) -> dict[str, float]:
    """The median of the last third beside that of the middle third: 1 is no growth."""
    third = max(1, len(series) // 3)
    middle, last = series[third : 2 * third] or series, series[-third:]
    return {
        name: round(
            statistics.median(each[name] for each in last)
            / statistics.median(each[name] for each in middle),
            3,
        )
        for name in MEASURED
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--every", type=float, default=20, help="seconds from note to note")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--port", type=int, default=0, help="Studio's port; 0: any that is free")
    parser.add_argument("--chromium", default=shutil.which("chromium") or "chromium-headless-shell")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    from playwright.sync_api import Error, sync_playwright

    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    series: list[dict[str, Any]] = []
    troubles: list[str] = []
    with tempfile.TemporaryDirectory(prefix="vitral-") as name, sync_playwright() as playwright:
        folder = Path(name) / "random-llama"
        save_model(folder)
        browser = playwright.chromium.launch(executable_path=arguments.chromium, args=FLAGS)
        with running_studio(folder, arguments.port) as address:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(5000)
            page.on("pageerror", lambda error: troubles.append(str(error)[:200]))
            page.goto(f"{address}/?view=map&model={folder.name}")
            page.wait_for_selector("#view > *", timeout=60_000)
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable")
            reader = Reader(page, folder, arguments.seed)
            began = noted = time.monotonic()
            refused = 0
            while time.monotonic() - began < 60 * arguments.minutes:
                try:
                    reader.act()
                except Error:  # what it wanted to click went away meanwhile
                    refused += 1
                if time.monotonic() - noted >= arguments.every:
                    noted = time.monotonic()
                    series.append({"minute": round((noted - began) / 60, 2), **memory(session)})
                    print(json.dumps(series[-1]), flush=True)
        browser.close()
    figures = {
        "command": "python " + " ".join(["benchmarks/explore_hour.py", *sys.argv[1:]]),
        "commit": commit,
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores, {processor()}, no GPU",
        "minutes": arguments.minutes,
        "acts": dict(sorted(reader.done.items())),
        "acts_that_found_nothing": refused,
        "page_errors": troubles,
        "growth": growth(series),
        "series": series,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(figures, ensure_ascii=False, indent=2)
    arguments.out.write_text(text + "\n", encoding="utf-8")
    print(json.dumps(figures["growth"]))


if __name__ == "__main__":
    main()
