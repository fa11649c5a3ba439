"""How fast do we learn? nanoGPT's CPU recipe, Vitral and transformers' Trainer, side by side.

    git clone https://github.com/karpathy/nanoGPT
    pip install -e '.[bench]'
    python benchmarks/train.py --nanogpt nanoGPT --data input.txt

`input.txt` is tinyshakespeare (nanoGPT's data/shakespeare_char/prepare.py says from where; with
`--data` nothing is fetched). The checkout is copied, never changed.

*The race.* nanoGPT's own train.py runs the CPU recipe of its README: 4 layers, 4 heads, 128 wide,
block 64, batch 12, 2,000 steps. Then our recipes, on the same characters of the same split:
`shakespeare-char.yaml`, which has nanoGPT's shape and a quarter of its time, and
`shakespeare-char-best.yaml`, free to choose, in its full time. Time is that from the first step's
beginning to the last one's end; evaluations are not in it (of nanoGPT's iterations those with an
evaluation in them count as its median one). All final models are read back from their files and
measured the same two ways: on the whole validation split in windows of 64 that do not overlap,
and as nanoGPT does, in random windows, the same ones for all (many more than its 240).

*The speed.* The same model, batch and precision in three trainers (`train_worker.py`), by turns,
so that what slows the machine slows all. On a machine with other work, `cpu_seconds` and
`tokens_per_cpu_second` are the figures to look at: they count the process's own computing.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from trace import commit, processor, share_of_a_core  # the one beside this file
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "train.json"
WORKER = ROOT / "benchmarks" / "train_worker.py"
JUDGE = ROOT / "benchmarks" / "train_judge.py"
RECIPES = ("shakespeare-char", "shakespeare-char-best")
NANOGPT_RECIPE = (
    "config/train_shakespeare_char.py --device=cpu --compile=False --eval_iters=20 "
    "--log_interval=1 --block_size=64 --batch_size=12 --n_layer=4 --n_head=4 --n_embd=128 "
    "--max_iters=2000 --lr_decay_iters=2000 --dropout=0.0 --always_save_checkpoint=True"
)
"""As in its README; the last entry has it keep its last model, not the one it found best."""

EVALUATED_EVERY = 250
BATCHES = ((12, 64), (64, 256))
PRECISIONS = ("float32", "bfloat16")
TRAINERS = ("vitral", "nanogpt", "transformers")


def environment(threads: int) -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}


def run_nanogpt(checkout: Path, threads: int) -> dict[str, float]:
    """Its recipe, as it is. `seconds` and `cpu_seconds` are those of training: of the iterations
    with an evaluation in them, the former leaves that out by counting the mean of the others;
    from the latter what starting and evaluating take is subtracted, which two runs without
    training tell apart."""
    log, whole = _nanogpt(checkout, threads)
    _, started_and_looked = _nanogpt(checkout, threads, "--eval_only=True")
    _, started = _nanogpt(checkout, threads, "--eval_only=True", "--eval_iters=1")
    look = (started_and_looked - started) * 20 / 19
    found = re.findall(r"^iter (\d+): loss [\d.]+, time ([\d.]+)ms", log, re.MULTILINE)
    plain = [float(time) for step, time in found if int(step) % EVALUATED_EVERY]
    looks = len(re.findall(r"^step \d+:", log, re.MULTILINE))
    return {
        "seconds": round(statistics.mean(plain) * len(found) / 1e3, 2),
        "cpu_seconds": round(whole - started - looks * look, 2),
        "milliseconds_a_step": statistics.median(plain),
        "steps": len(found),
        "its_last_estimate": float(re.findall(r"val loss ([\d.]+)", log)[-1]),
    }


def _nanogpt(checkout: Path, threads: int, *others: str) -> tuple[str, float]:
    """What its train.py printed, and its seconds of computing."""
    before = os.times()
    log = subprocess.run(
        [sys.executable, "train.py", *NANOGPT_RECIPE.split(), *others],
        cwd=checkout,
        env=environment(threads),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    after = os.times()
    used = after.children_user + after.children_system
    return log, used - before.children_user - before.children_system


def run_recipe(name: str, data: Path, out: Path, threads: int) -> dict[str, float]:
    """One of our recipes, by the trainer of `vitral train`."""
    answer = subprocess.run(
        [
            sys.executable,
            str(WORKER),
            "recipe",
            str(data),
            "--threads",
            str(threads),
            "--recipe",
            str(ROOT / "recipes" / f"{name}.yaml"),
            "--out",
            str(out),
        ],
        env=environment(threads),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    told: dict[str, float] = json.loads(answer)
    return told


def judge(kind: str, folder: Path, checkout: Path, data: Path) -> dict[str, float]:
    """What a final model's loss is, in a process that knows nothing of its training."""
    command = [sys.executable, str(JUDGE), kind, str(folder), str(data), "--nanogpt", str(checkout)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    told: dict[str, float] = json.loads(answer)
    return told


def race(
    checkout: Path,
    data: Path,
    folder: Path,
    arguments: argparse.Namespace,
    earlier: dict[str, list[dict[str, Any]]],
) -> dict[str, Any]:
    """All runs of the race by turns; those in `earlier` are taken as they are."""
    turns = {name: list(of_name) for name, of_name in earlier.items()}
    for turn in range(arguments.repeats):
        for name in ("nanogpt", *arguments.recipes):
            of_name = turns.setdefault(name, [])
            if len(of_name) > turn:
                continue
            quiet = {"share_of_a_core": share_of_a_core()}
            if name == "nanogpt":
                told = run_nanogpt(checkout, arguments.threads)
                out = checkout / "out-shakespeare-char"
                told |= judge("nanogpt", out, checkout, data)
            else:
                out = folder / f"{name}-{turn}"
                told = run_recipe(name, data, out, arguments.threads)
                told |= judge("vitral", out / "model", checkout, data)
            of_name.append(quiet | told)
            print(name, json.dumps(of_name[-1]), flush=True)
    return {name: _summary(of_name, turns["nanogpt"]) for name, of_name in turns.items()}


def _summary(turns: list[dict[str, Any]], nanogpt: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the turns; shares are medians of the turns' own shares of nanoGPT's time."""
    figures: dict[str, Any] = {}
    for kind in ("seconds", "cpu_seconds"):
        shares = [one[kind] / other[kind] for one, other in zip(turns, nanogpt, strict=False)]
        figures[kind] = round(statistics.median(turn[kind] for turn in turns), 2)
        figures[f"share_of_nanogpts_{kind}"] = round(statistics.median(shares), 3)
    losses = [turn["whole_split"] for turn in turns]
    return figures | {"validation_loss": round(statistics.median(losses), 4), "turns": turns}


class Worker:
    """One trainer's process."""

    def __init__(self, trainer: str, data: Path, checkout: Path, threads: int) -> None:
        command = [sys.executable, str(WORKER), trainer, str(data), "--nanogpt", str(checkout)]
        self.process = subprocess.Popen(
            [*command, "--threads", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(threads),
            text=True,
        )

    def steps(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        return told

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def speed(checkout: Path, data: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Tokens a second of each trainer at each batch and precision."""
    workers = {name: Worker(name, data, checkout, arguments.threads) for name in arguments.trainers}
    rows: list[dict[str, Any]] = []
    for batch, length in BATCHES:
        for precision in PRECISIONS:
            tokens = batch * length
            order = {"batch": batch, "length": length, "precision": precision}
            order |= {"compiled": arguments.compile, "steps": max(4, 40_000 // tokens)}
            told: dict[str, list[dict[str, Any]]] = {name: [] for name in workers}
            for _ in range(arguments.repeats):
                for name, worker in workers.items():
                    told[name].append(worker.steps(order))
            for name, turns in told.items():
                row = {key: order[key] for key in ("batch", "length", "precision", "compiled")}
                walls = [tokens / statistics.median(turn["seconds"]) for turn in turns]
                computed = [tokens * len(turn["seconds"]) / turn["cpu"] for turn in turns]
                row |= {
                    "trainer": name,
                    "tokens_per_second": round(statistics.median(walls)),
                    "tokens_per_cpu_second": round(statistics.median(computed)),
                    "all_tokens_per_second": [round(each) for each in walls],
                    "all_tokens_per_cpu_second": [round(each) for each in computed],
                }
                rows.append(row)
                print(json.dumps(row), flush=True)
    for worker in workers.values():
        worker.close()
    return rows


def prepared(checkout: Path, data: Path, folder: Path) -> Path:
    """A copy of the checkout with its data as its own script makes them."""
    copy = folder / "nanoGPT"
    shutil.copytree(checkout, copy, ignore=shutil.ignore_patterns(".git", "out*"))
    of_data = copy / "data" / "shakespeare_char"
    shutil.copy(data, of_data / "input.txt")
    command = [sys.executable, str(of_data / "prepare.py")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return copy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nanogpt", type=Path, required=True, help="a checkout of nanoGPT")
    parser.add_argument("--data", type=Path, required=True, help="tinyshakespeare's input.txt")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--parts", nargs="+", choices=("race", "speed"), default=["race", "speed"])
    parser.add_argument("--recipes", nargs="*", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--trainers", nargs="+", choices=TRAINERS, default=list(TRAINERS))
    parser.add_argument("--compile", action="store_true", help="torch.compile for all trainers")
    parser.add_argument("--resume", action="store_true", help="keep the race's earlier turns")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    key = f"{arguments.threads} thread{'s' if arguments.threads > 1 else ''}"
    results = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
    about = {
        "command": " ".join(["python", "benchmarks/train.py", *sys.argv[1:]]),
        "commit": commit(),
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores of {processor()}",
        "threads": arguments.threads,
        "share_of_a_core": share_of_a_core(),
    }
    data = arguments.data.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkout = prepared(arguments.nanogpt, data, folder)
        for part in arguments.parts:
            figures: Any
            entry = f"{part}, {key}{', compiled' if arguments.compile else ''}"
            if part == "race":
                known = results.get(entry, {}).get("figures", {}) if arguments.resume else {}
                earlier = {name: of_name["turns"] for name, of_name in known.items()}
                figures = race(checkout, data, folder, arguments, earlier)
            else:
                figures = speed(checkout, data, arguments)
            results[entry] = about | {"figures": figures}
            arguments.out.parent.mkdir(exist_ok=True)
            arguments.out.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
