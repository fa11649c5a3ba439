"""What it costs to look: a plain forward pass, and three ways to see inside it, side by side.

    pip install -e '.[bench]' && python benchmarks/trace.py

On GPT-2 small's shape (12 layers × 12 heads, 768 wide, random weights) at 512, 1,024, 4,096 and
16,384 tokens: the forward pass alone (PyTorch's fused attention), Vitral's trace, transformers'
eager attention with `output_attentions`, and TransformerLens. Each is a process of its own
(`trace_worker.py`), so that its peak memory is its own; all of a size are open at once and run
by turns, so that what slows the machine slows all of them. Every run counts, the first too.

The two peers write every pattern down, so past a length they do not fit; what they would need
is reckoned first, and they are left out where the machine has less. TransformerLens lives in
an environment beside ours (`--lens-python`), which is made if there is none; it borrows our
PyTorch and transformers.

Writes benchmarks/results/trace.json after each size. `--resume` goes on with what is there.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "trace.json"
WORKER = ROOT / "benchmarks" / "trace_worker.py"
LENS = "transformer-lens==4.3.0"
METHODS = ("plain", "vitral", "eager", "transformer_lens")
PEERS = ("eager", "transformer_lens")
REPEATS = {512: 7, 1024: 5, 4096: 3, 16384: 2}
"""Runs of the plain pass and of Vitral; a size that is not here has three."""
NUM_LAYERS, NUM_HEADS, VOCABULARY = 12, 12, 50257
GIB = 2**30


class Worker:
    """One method's process at one size."""

    def __init__(self, method: str, size: int, python: str, threads: int) -> None:
        command = [python, str(WORKER), method, str(size), "--threads", str(threads)]
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=environment,
            text=True,
        )
        self.about = self._answer()
        self.runs: list[dict[str, float]] = []

    def run(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        self.runs.append(self._answer())

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        self.errors.close()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            last = self.errors.read().decode(errors="replace").strip().splitlines()[-1:]
            code = self.process.wait()
            raise RuntimeError(f"ended with code {code}: {' '.join(last) or 'out of memory?'}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def figures(self) -> dict[str, Any]:
        """Medians over the runs; memory is that of the first, which nothing had gone before."""
        seconds = [each["seconds"] for each in self.runs]
        return {
            "version": self.about["version"],
            "seconds": round(statistics.median(seconds), 3),
            "all_seconds": [round(each, 3) for each in seconds],
            "all_cpu_seconds": [round(each["cpu"], 3) for each in self.runs],
            "peak_bytes": int(self.runs[0]["peak_bytes"]),
            "loaded_bytes": self.about["loaded_bytes"],
        }


def needed_by_peer(size: int) -> int:
    """Bytes that a method takes which keeps every pattern: those, and three layers' scores."""
    pattern = 4 * NUM_HEADS * size**2
    return pattern * (NUM_LAYERS + 3) + 4 * VOCABULARY * size + 2 * GIB


def free_bytes() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) * 1024


def lens_python(given: str | None) -> str:
    """The interpreter of an environment that has TransformerLens; made if there is none."""
    if given is not None:
        return given
    folder = Path(tempfile.gettempdir()) / f"vitral-{LENS.replace('==', '-')}"
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"making an environment with {LENS} in {folder}", flush=True)
        venv.create(folder, with_pip=True)
        theirs = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        # What is ours already (PyTorch, transformers) is found there and not fetched again.
        (Path(theirs) / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
        constraints = ["-c", str(ROOT / "constraints.txt")]
        subprocess.run([python, "-m", "pip", "install", "-q", LENS, *constraints], check=True)
    return str(python)


def measure(size: int, arguments: argparse.Namespace, python_of_lens: str | None) -> dict[str, Any]:
    """All methods at one size."""
    repeats = arguments.repeats or REPEATS.get(size, 3)
    of_size: dict[str, Any] = {"commit": commit(), "share_of_a_core": share_of_a_core()}
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for method in arguments.methods:
            if method in PEERS and needed_by_peer(size) > free_bytes():
                needed, free = needed_by_peer(size) / GIB, free_bytes() / GIB
                of_size[method] = {
                    "left_out": f"needs about {needed:.0f} GiB, {free:.0f} GiB are free"
                }
                continue
            python = python_of_lens if method == "transformer_lens" else sys.executable
            if python is None:
                of_size[method] = {"left_out": "no environment with TransformerLens"}
                continue
            try:
                workers[method] = Worker(method, size, python, arguments.threads)
            except RuntimeError as error:
                of_size[method] = {"left_out": str(error)}
                continue
            stack.callback(workers[method].close)
        for turn in range(repeats):
            for method, worker in list(workers.items()):
                if method in PEERS and turn >= arguments.peer_repeats and size >= 4096:
                    continue
                try:
                    worker.run()
                except RuntimeError as error:
                    of_size[method] = {"left_out": str(error)}
                    del workers[method]
        of_size |= {method: worker.figures() for method, worker in workers.items()}
    for method, figures in of_size.items():
        base = of_size.get("plain")
        if isinstance(figures, dict) and "seconds" in figures and base and method != "plain":
            pairs = zip(figures["all_seconds"], base["all_seconds"], strict=False)
            figures["time_ratio"] = round(statistics.median(one / other for one, other in pairs), 2)
            figures["memory_ratio"] = round(figures["peak_bytes"] / base["peak_bytes"], 2)
    return of_size


def commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()


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


def table(sizes: dict[str, Any]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| tokens | method | time | × plain | peak memory | × plain |",
        "|---|---|---|---|---|---|",
    ]
    for size, of_size in sizes.items():
        for method in METHODS:
            figures = of_size.get(method)
            if figures is None:
                continue
            if "left_out" in figures:
                lines.append(f"| {int(size):,} | {method} | left out: {figures['left_out']} ||||")
                continue
            ratios = [figures.get(f"{kind}_ratio", 1.0) for kind in ("time", "memory")]
            lines.append(
                f"| {int(size):,} | {method} | {figures['seconds']:.2f} s | {ratios[0]:.2f} "
                f"| {figures['peak_bytes'] / 1e9:.2f} GB | {ratios[1]:.2f} |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=list(REPEATS))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--repeats", type=int, help="runs of each; default: by size")
    parser.add_argument("--peer-repeats", type=int, default=1, help="runs of a peer from 4,096 on")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--lens-python", help="interpreter of an environment with TransformerLens")
    parser.add_argument("--resume", action="store_true", help="keep the sizes already measured")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    results: dict[str, Any] = {
        "command": " ".join(["python", "benchmarks/trace.py", *sys.argv[1:]]),
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores of {processor()}",
        "threads": arguments.threads,
        "sizes": {},
    }
    if arguments.resume and arguments.out.exists():
        earlier = json.loads(arguments.out.read_text())
        if earlier["threads"] == arguments.threads:
            results["sizes"] = earlier["sizes"]
    wanted = "transformer_lens" in arguments.methods
    python_of_lens = lens_python(arguments.lens_python) if wanted else None
    for size in arguments.sizes:
        if str(size) in results["sizes"]:
            continue
        results["sizes"][str(size)] = measure(size, arguments, python_of_lens)
        arguments.out.parent.mkdir(exist_ok=True)
        arguments.out.write_text(json.dumps(results, indent=2) + "\n")
        print(table({str(size): results["sizes"][str(size)]}), flush=True)
    print("\n" + table(results["sizes"]))


if __name__ == "__main__":
    main()
