"""Vitral's Explore room beside BertViz's model view: bytes to the browser, time to the picture.

    pip install -e '.[bench]' && python benchmarks/explore.py

Both show the same attention, 12 layers × 12 heads of a random BERT-base, in the same headless
Chromium, by turns in one run. Ours is Studio as people start it, with a new, empty browser for
every repeat, a text that it has not seen, and its forward pass told apart by its own clock.
BertViz's page is made by `model_view(..., html_action="return")`, written to a file and opened;
the libraries that it takes from a CDN are handed to it from npm packages.

The picture: ours, all 144 small panes and the chosen head's lines; BertViz's, its 144 thumbnails.
BertViz draws one SVG line for every weight. Where a page of its cannot be drawn, because the
browser's memory or `--patience` ends first, the reason is written in place of a time.
Writes benchmarks/results/explore.json.
"""

import argparse
import io
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from random_bert import NUM_HEADS, NUM_LAYERS, save_model, text_of
from traffic import Traffic, watch_for

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "explore.json"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-dev-shm-usage",
]
GIB = 2**30
KEPT_FREE = 3 * GIB
"""A browser that leaves the machine less memory than this is stopped."""
BERTVIZ_BYTES_A_WEIGHT = 230
"""Memory of `model_view`: 8.7 GB were seen for 12·12·512² weights."""
LIBRARIES = {  # jQuery's 2.0.0, which BertViz names, is not on npm
    "require": ("requirejs@2", "package/require.js"),
    "d3": ("d3@5.7.0", "package/dist/d3.min.js"),
    "jquery": ("jquery@2.2.4", "package/dist/jquery.min.js"),
}
OURS = f"""(() => {{
  const panes = [...document.querySelectorAll("[role=gridcell]:not(.waiting) canvas")];
  return panes.length === {NUM_LAYERS * NUM_HEADS} && panes.every(pane => pane.width > 0)
    && document.querySelector("#view svg path") !== null;
}})()"""
DRAWN = "() => window.pictureMoment"
TIMES = """() => {
  const waits = {};
  for (const entry of performance.getEntriesByType("resource")) {
    const name = new URL(entry.name).pathname.split("/").pop();
    if (entry.name.includes("/api/traces")) waits[name] ??= [entry.requestStart, entry.responseEnd];
  }
  return [pictureMoment, performance.timeOrigin, waits];
}"""
DRAWN_OR_NEVER = """() => window.pictureMoment || (document.readyState === "complete"
  && !document.querySelector("script[data-requiremodule]") && "never")"""
"""A page whose script is too long to be run has asked for none of its libraries."""
THEIRS = f"""document.querySelectorAll(".attn_background").length === {NUM_LAYERS * NUM_HEADS}"""


@contextmanager
def running_studio(folder: Path, port: int) -> Iterator[str]:
    """The address of `vitral studio` on the model in `folder`, a process of its own."""
    command = [sys.executable, "-m", "vitral", "studio", "--no-browser", "--port", str(port)]
    command += ["--model", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            line = process.stdout.readline()
            assert "http://" in line, f"Studio said {line!r}"
            yield line.split()[-1].rstrip("/")
        finally:
            process.terminate()
            process.wait(20)


def visit_studio(browser: Any, address: str, model: str, text: str) -> dict[str, Any]:
    """One visit with an empty cache. Times in seconds."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="es-ES")
    try:
        page = context.new_page()
        traffic = Traffic().listen(context.new_cdp_session(page))
        page.add_init_script(watch_for(OURS))
        with page.expect_response("**/api/traces", timeout=120_000) as answer:
            page.goto(f"{address}/?{urlencode({'model': model, 'text': text})}")
        page.wait_for_function(DRAWN, timeout=60_000)
        page.wait_for_timeout(500)  # what still comes is counted apart
        moment, origin, waits = page.evaluate(TIMES)
        asked, answered = waits["traces"]
        trace = answer.value.json()
        until = (origin + moment) / 1000
        return {
            "tokens": len(trace["tokens"]),
            "bytes": traffic.bytes_before(until),
            "bytes_by_kind": traffic.by_kind(until),
            "bytes_after_picture": traffic.bytes_before(float("inf")) - traffic.bytes_before(until),
            "forward_s": trace["seconds"],
            "after_forward_s": (moment - asked) / 1000 - trace["seconds"],
            "after_answer_s": (moment - answered) / 1000,
            "pooled_s": (waits["pooled"][1] - waits["pooled"][0]) / 1000,
            "view_s": (waits["view"][1] - waits["view"][0]) / 1000,
            "drawn_after_numbers_s": (moment - max(end for _, end in waits.values())) / 1000,
            "from_navigation_s": moment / 1000,
        }
    finally:
        context.close()


class Watch:
    """Looks at the browser while it draws; ends its greediest process when memory or patience
    ends. (Playwright's own time limits wait for a page that is busy.)"""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.peak = 0
        self.stopped = ""

    def __enter__(self) -> "Watch":
        self._deadline = time.monotonic() + self.patience
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        import psutil

        while not self._done.wait(0.1):
            largest, size = None, 0
            for process in psutil.Process().children(recursive=True):
                try:
                    memory = process.memory_info().rss
                    if "chrom" in process.name() and memory > size:
                        largest, size = process, memory
                except psutil.Error:  # it ended while we looked
                    continue
            self.peak = max(self.peak, size)
            if largest is None:
                continue
            if psutil.virtual_memory().available < KEPT_FREE:
                self.stopped = f"under {KEPT_FREE / GIB:.0f} GiB of memory were left: stopped"
            elif time.monotonic() > self._deadline:
                self.stopped = f"no picture within {self.patience:.0f} s: stopped"
            if self.stopped:
                largest.kill()


def open_bertviz(
    playwright: Any, chromium: str, page_file: Path, libraries: dict[str, bytes], patience: float
) -> dict[str, Any]:
    """Open a page of BertViz's in a browser of its own: seconds to its picture, or why none."""
    from playwright.sync_api import Error, TimeoutError

    with Watch(patience) as watch:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        problems: list[str] = []
        figures: dict[str, Any] = {"picture_s": None}
        started = time.perf_counter()
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.on("crash", lambda: problems.append("the page's process ended"))
            page.on("pageerror", lambda error: problems.append(str(error)[:200]))

            def hand_over(route: Any) -> None:
                name = next(name for name in LIBRARIES if name in route.request.url)
                route.fulfill(body=libraries[name], content_type="text/javascript")

            page.route("https://cdnjs.cloudflare.com/**", hand_over)
            page.add_init_script(watch_for(THEIRS))
            started = time.perf_counter()
            page.goto(page_file.as_uri(), wait_until="commit", timeout=0)
            while not problems:
                left = started + patience - time.perf_counter()
                if left <= 0:
                    raise TimeoutError("no picture")
                try:
                    page.wait_for_function(
                        "() => window.pictureMoment", timeout=min(left, 2) * 1000
                    )
                except TimeoutError:
                    continue
                standing, moment = page.evaluate("() => [standingMoment, pictureMoment]")
                figures |= {"standing_s": standing / 1000, "picture_s": moment / 1000}
                figures["lines"] = page.evaluate("document.querySelectorAll('line').length")
                break
        except Error as error:
            problems.append(str(error).splitlines()[0][:200])
        finally:
            figures["opened_s"] = time.perf_counter() - started
            try:
                browser.close()
            except Error as error:
                problems.append(str(error).splitlines()[0][:200])
    if figures["picture_s"] is None:
        if watch.stopped:
            problems = [watch.stopped]
        figures["no_picture"] = "; ".join(dict.fromkeys(problems))
    return {**figures, "browser_peak_bytes": watch.peak}


def measure_bertviz(
    playwright: Any, arguments: argparse.Namespace, folder: Path, size: int, text: str
) -> dict[str, Any]:
    """Make BertViz's page in a process of its own and open it; or say why not."""
    import psutil

    needed = BERTVIZ_BYTES_A_WEIGHT * NUM_LAYERS * NUM_HEADS * size**2 + KEPT_FREE
    free = psutil.virtual_memory().available
    if free < needed:
        return {"skipped": f"needs {needed / GIB:.1f} GiB of memory, {free / GIB:.1f} are free"}
    text_file, page_file = folder.parent / "text.txt", folder.parent / "bertviz.html"
    text_file.write_text(text, encoding="utf-8")
    command = [sys.executable, str(ROOT / "benchmarks" / "bertviz_page.py")]
    command += [str(folder), str(text_file), str(page_file)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        return {"skipped": f"made no page: {done.stderr.strip()[-300:] or done.returncode}"}
    figures = json.loads(done.stdout.splitlines()[-1])
    libraries = arguments.libraries_read
    figures["bytes"] += sum(map(len, libraries.values()))
    opened = open_bertviz(playwright, arguments.chromium, page_file, libraries, arguments.patience)
    page_file.unlink()
    made = figures["generate_s"] + figures["write_s"]
    figures["made_after_forward_s"] = made
    if opened["picture_s"] is not None:
        figures["after_forward_s"] = made + opened["picture_s"]
    return {**figures, **opened}


def read_libraries(folder: Path) -> dict[str, bytes]:
    """BertViz's libraries from npm, packed into `folder`: by name, the script's bytes."""
    scripts = {}
    for name, (package, member) in LIBRARIES.items():
        command = ["npm", "pack", "--silent", "--pack-destination", str(folder), package]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        packed = (folder / done.stdout.split()[-1]).read_bytes()
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            scripts[name] = archive.extractfile(member).read()
    return scripts


def medians(repeats: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians of the numbers, `None`s left out; the latest of everything else."""
    summary: dict[str, Any] = {"repeats": len(repeats)}
    for key in dict.fromkeys(key for repeat in repeats for key in repeat):
        values = [repeat[key] for repeat in repeats if repeat.get(key) is not None]
        if values and all(isinstance(value, int | float) for value in values):
            middle = max(values) if key == "largest_difference" else statistics.median(values)
            whole = all(isinstance(value, int) for value in values)
            summary[key] = round(middle) if whole else float(f"{middle:.4g}")
        elif values:
            summary[key] = values[-1]
    return summary


def compare(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """How many times more of each BertViz takes. Where it drew nothing, making the page and
    waiting for it are counted: a bound from below."""
    ratio: dict[str, Any] = {}
    if "bytes" in theirs:
        ratio["bytes"] = round(theirs["bytes"] / ours["bytes"], 1)
        drawn = theirs.get("after_forward_s")
        waited = drawn or theirs["made_after_forward_s"] + theirs["opened_s"]
        ratio["time"] = round(waited / ours["after_forward_s"], 1)
        ratio["time_is_a_lower_bound"] = drawn is None
    return ratio


def share_of_a_core(seconds: float = 2.0) -> float:
    """How much of a core a busy process gets here now: 1 on a quiet machine."""
    started, used = time.perf_counter(), time.process_time()
    while time.perf_counter() - started < seconds:
        pass
    return round((time.process_time() - used) / (time.perf_counter() - started), 2)


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def measure(arguments: argparse.Namespace, work: Path, about: dict[str, Any]) -> None:
    """All figures, written after each step: what was measured is kept if the rest fails."""
    from playwright.sync_api import sync_playwright

    folder = work / "random-bert"
    save_model(folder)
    sizes: dict[str, Any] = {}
    figures: dict[str, Any] = {**about, "sizes": sizes}

    def write() -> None:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(figures, ensure_ascii=False, indent=2)
        arguments.out.write_text(text + "\n", encoding="utf-8")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=arguments.chromium, args=FLAGS)
        with running_studio(folder, arguments.port) as address:
            figures["chromium"] = browser.version
            first = visit_studio(browser, address, folder.name, text_of(folder, 32))
            figures["first_visit_from_navigation_s"] = round(first["from_navigation_s"], 2)
            for size in arguments.sizes:
                share = share_of_a_core()
                repeats = [
                    visit_studio(browser, address, folder.name, text_of(folder, size, number))
                    for number in range(arguments.repeats)
                ]
                ours = {"share_of_a_core": share, **medians(repeats)}
                sizes[str(size)] = {"vitral": ours, "vitral_repeats": repeats}
                print(size, "vitral", json.dumps(ours), flush=True)
                write()
        browser.close()
        for size in arguments.sizes if arguments.bertviz_repeats else ():
            share = share_of_a_core()
            repeats = []
            for number in range(arguments.bertviz_repeats):
                text = text_of(folder, size, number)
                repeats.append(measure_bertviz(playwright, arguments, folder, size, text))
                print(size, "bertviz", json.dumps(repeats[-1]), flush=True)
                seconds = repeats[-1].get("picture_s")
                if seconds is None or seconds > arguments.patience / 3:
                    break  # it would not draw the next time either, or for too long
            theirs, of_size = {"share_of_a_core": share, **medians(repeats)}, sizes[str(size)]
            of_size |= {"bertviz": theirs, "bertviz_repeats": repeats}
            of_size["ratio"] = compare(of_size["vitral"], theirs)
            write()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256, 512])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--bertviz-repeats", type=int, default=3, help="0: leave BertViz out")
    parser.add_argument("--patience", type=float, default=240, help="seconds for one picture")
    parser.add_argument("--port", type=int, default=0, help="Studio's port; 0: any that is free")
    parser.add_argument("--chromium", default=shutil.which("chromium") or "chromium-headless-shell")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    about = {
        "command": "python " + " ".join(["benchmarks/explore.py", *sys.argv[1:]]),
        "commit": commit,
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores, {processor()}, no GPU",
        "versions": {name: version(name) for name in ("bertviz", "torch", "transformers")},
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }
    with tempfile.TemporaryDirectory(prefix="vitral-explore-") as name:
        arguments.libraries_read = read_libraries(Path(name)) if arguments.bertviz_repeats else {}
        measure(arguments, Path(name), about)
    print(f"written to {arguments.out}")


if __name__ == "__main__":
    main()
