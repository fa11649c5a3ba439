"""A text of 131,072 tokens: traced in how much memory, and its blocks drawn how quickly.

    python benchmarks/long_context.py

A small decoder of ours (2 layers × 2 heads, 64 wide, random weights, 131,072 tokens of context)
reads random tokens. Then, of random heads: the whole map, blocks of 256 × 256 exact cells
anywhere below the diagonal, and larger regions in 256 × 256 cells. Writes
benchmarks/results/long_context.json.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from trace_worker import peak_memory

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "long_context.json"
NUM_LAYERS, NUM_HEADS = 2, 2
REGIONS = (256, 1024, 4096, 8192, 16384)
"""Sides of the regions that are drawn; the first is exact, the others are pooled."""


def seconds(draw: Callable[[], object], repeats: int) -> dict[str, float]:
    took = []
    for _ in range(repeats):
        started = time.perf_counter()
        draw()
        took.append(time.perf_counter() - started)
    return {"median_s": round(statistics.median(took), 4), "longest_s": round(max(took), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=131_072)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    import torch

    import vitral
    from vitral.models.llama import Llama, LlamaConfig

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=512,
        context=arguments.tokens,
        hidden_size=64,
        num_layers=NUM_LAYERS,
        num_heads=NUM_HEADS,
        num_key_value_heads=NUM_HEADS,
        intermediate_size=128,
    )
    model = vitral.load(Llama(config))
    ids = torch.randint(512, (arguments.tokens,)).tolist()
    forecast = model.forecast(ids=ids)
    print(forecast.text("en"), flush=True)
    started, used = time.perf_counter(), time.process_time()
    trace = model.trace(ids=ids)
    traced = {
        "seconds": round(time.perf_counter() - started, 1),
        "cpu_seconds": round(time.process_time() - used, 1),
        "peak_bytes": peak_memory(),
    }
    print(json.dumps(traced), flush=True)
    generator = random.Random(0)

    def draw(side: int) -> None:
        first = generator.randrange(arguments.tokens - side + 1)
        column = generator.randrange(first + 1)
        trace.view(
            f"layers.{generator.randrange(NUM_LAYERS)}.attention.pattern",
            generator.randrange(NUM_HEADS),
            rows=(first, first + side),
            columns=(column, column + side),
        )

    def draw_all() -> None:
        trace.view("layers.1.attention.pattern", generator.randrange(NUM_HEADS))

    drawn = {"whole": seconds(draw_all, arguments.repeats)}
    for side in REGIONS:
        if side <= arguments.tokens:
            drawn[str(side)] = seconds(lambda side=side: draw(side), arguments.repeats)  # type: ignore[misc]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    results = {
        "commit": commit,
        "date": time.strftime("%Y-%m-%d"),
        "tokens": arguments.tokens,
        "threads": arguments.threads,
        "foreseen": {"streaming_bytes": forecast.streaming, "whole_bytes": forecast.whole},
        "traced": traced,
        "drawn": drawn,
        "peak_bytes_after_drawing": peak_memory(),
    }
    arguments.out.parent.mkdir(exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
