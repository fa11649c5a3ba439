"""Long texts in the Explore room: bytes and time to the first picture, frames a second, new tiles.

    python benchmarks/explore_long.py
    python benchmarks/explore_long.py --sizes 131072 --repeats 1

A small decoder (1 layer × 2 heads, 32 wide, random weights; see random_llama.py) reads texts of 512
to 131,072 tokens in Studio as people start it. The text is put into the box of a page that is open
already, and asked for; the first picture is the head's map with its first tile, and all panes of
the window. The forward pass is told apart by Studio's own clock. Then the map is moved at several
zooms, with tiles at hand; coming closer and turning to the other head, tiles are new. How a frame's
work and its time are taken stands in tests/web/panning.py.
Writes benchmarks/results/explore_long.json.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from explore import FLAGS, ROOT, medians, processor, running_studio, share_of_a_core
from random_llama import NUM_HEADS, NUM_LAYERS, save_model, text_of
from traffic import Traffic

sys.path.insert(0, str(ROOT / "tests" / "web"))
from panning import PAN, REST

RESULTS = ROOT / "benchmarks" / "results" / "explore_long.json"
PATIENCE = 3_600_000
STANDING = f"""() => {{
  const panes = [...document.querySelectorAll("[role=gridcell]:not(.waiting) canvas")];
  return panes.length === {NUM_LAYERS * NUM_HEADS} && panes.every(pane => pane.width > 0)
    && document.querySelector("[data-level]") !== null
    && performance.getEntriesByName("vitral-tile").length > 0;
}}"""
WATCH = f"""() => {{
  const standing = {STANDING};
  window.askedMoment = performance.now();
  window.pictureMoment = null;
  const look = () => requestAnimationFrame(() => {{
    if (!standing()) return look();
    requestAnimationFrame(() => {{ window.pictureMoment = performance.now(); }});
  }});
  look();
}}"""
FORGET = "performance.clearMeasures('vitral-tile')"
TILES = "performance.getEntriesByName('vitral-tile').map(entry => entry.duration)"


def server_memory() -> int:
    """Bytes that Studio's process holds."""
    import psutil

    found = [
        process.memory_info().rss
        for process in psutil.Process().children(recursive=True)
        if "studio" in process.cmdline()
    ]
    return max(found, default=0)


def settle(page: Any) -> None:
    page.wait_for_timeout(100)
    page.locator("[data-level][aria-busy=false]").wait_for()
    page.wait_for_timeout(300)


def visit(browser: Any, address: str, model: str, text: str) -> dict[str, Any]:
    """One text, from the question to its first picture; then its map is moved."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="es-ES")
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        page.goto(f"{address}/?view=map&model={model}&text=El+gato+duerme")
        page.wait_for_selector("[role=gridcell]:not(.waiting)")  # its own trace has come
        traffic = Traffic().listen(context.new_cdp_session(page))
        page.fill("#text", text)
        page.evaluate(WATCH)
        with page.expect_response("**/api/traces", timeout=PATIENCE) as answer:
            page.keyboard.press("Enter")
        page.wait_for_function("() => window.pictureMoment", timeout=PATIENCE)
        trace = answer.value.json()
        asked, moment, origin = page.evaluate(
            "[askedMoment, pictureMoment, performance.timeOrigin]"
        )
        until = (origin + moment) / 1000
        figures = {
            "tokens": trace["num_tokens"],
            "text_bytes": len(text.encode()),
            "bytes": traffic.bytes_before(until),
            "bytes_by_kind": traffic.by_kind(until),
            "forward_s": trace["seconds"],
            "after_forward_s": (moment - asked) / 1000 - trace["seconds"],
            "server_bytes": server_memory(),
        }
        settle(page)
        return figures | moves(page)
    finally:
        context.close()


def moves(page: Any) -> dict[str, Any]:
    """Frames while the map is moved with its tiles at hand; and how soon new tiles come."""
    map_ = page.get_by_role("application")
    frames: dict[str, Any] = {}
    new: dict[str, list[float]] = {}
    head = 0
    while True:
        level = map_.get_attribute("data-level")
        new.setdefault(level, []).extend(page.evaluate(TILES))
        share = share_of_a_core(0.5)
        page.evaluate(PAN, 60)  # the tiles along the way come
        settle(page)
        rest = page.evaluate(REST, 60)
        pan = page.evaluate(PAN, 120)
        gap = statistics.median(pan["gaps"])
        frames[level] = {
            "share_of_a_core": share,
            "work_ms": round(statistics.median(pan["work"]), 2),
            "frames_a_second": round(1000 / gap, 1),
            "at_rest": round(1000 / statistics.median(rest), 1),
        }
        # The other head: none of its tiles in sight has been here, unless the zoom was passed.
        page.evaluate(FORGET)
        head = 1 - head
        page.select_option("#head", str(head))
        settle(page)
        new[level].extend(page.evaluate(TILES))
        if level == "0":
            break
        page.evaluate(FORGET)
        map_.focus()
        page.keyboard.press("+")
        page.keyboard.press("+")
        settle(page)
    tiles = {
        level: {"tiles": len(found), "median_ms": round(statistics.median(found), 1)}
        for level, found in new.items()
        if found
    }
    return {"frames": frames, "new_tiles": tiles}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[513, 4096, 32_768, 131_072])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--port", type=int, default=0, help="Studio's port; 0: any that is free")
    parser.add_argument("--chromium", default=shutil.which("chromium") or "chromium-headless-shell")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    sizes: dict[str, Any] = {}
    figures: dict[str, Any] = {
        "command": "python " + " ".join(["benchmarks/explore_long.py", *sys.argv[1:]]),
        "commit": commit,
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores, {processor()}, no GPU",
        "versions": {name: version(name) for name in ("torch", "transformers")},
        "model": f"Llama, {NUM_LAYERS} layer × {NUM_HEADS} heads, 64 wide, random",
        "sizes": sizes,
    }
    with (
        tempfile.TemporaryDirectory(prefix="vitral-long-") as name,
        sync_playwright() as playwright,
    ):
        folder = Path(name) / "random-llama"
        save_model(folder)
        browser = playwright.chromium.launch(executable_path=arguments.chromium, args=FLAGS)
        figures["chromium"] = browser.version
        for size in arguments.sizes:
            # A Studio of its own for each size, so that its memory is that size's.
            with running_studio(folder, arguments.port) as address:
                share = share_of_a_core()
                repeats = [
                    visit(browser, address, folder.name, text_of(folder, size, number))
                    for number in range(arguments.repeats)
                ]
            load = [round(each, 1) for each in os.getloadavg()]
            summary = {"share_of_a_core": share, "load_average": load, **medians(repeats)}
            sizes[str(size)] = {"vitral": summary, "repeats": repeats}
            print(size, json.dumps(summary), flush=True)
            arguments.out.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(figures, ensure_ascii=False, indent=2)
            arguments.out.write_text(text + "\n", encoding="utf-8")
        browser.close()
    print(f"written to {arguments.out}")


if __name__ == "__main__":
    main()
