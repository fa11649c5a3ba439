"""What an edit costs: weights computed and time, by length of the text and rows touched.

    python benchmarks/edit.py

A decoder of Vitral's own (4 layers, 8 heads, 512 wide, random weights) is run with its plain
forward, without an edit and with one, on texts of 512 to 4,096 tokens. Times are medians, with
the edits of a length taken in turns. `weights` counts the attention weights that the edit
computed (`edit.num_weights`); `of all` is their share of all that the model's attention has.
Prints a table, and writes benchmarks/results/edit.json.
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from vitral.models.llama import Llama, LlamaConfig
from vitral.tracing.editing.edit import Edit

RESULTS = Path(__file__).parent / "results" / "edit.json"
SHAPE = {"num_layers": 4, "num_heads": 8, "num_key_value_heads": 8, "hidden_size": 512}

EDITS: dict[str, Callable[[Edit], None]] = {
    "nothing": lambda edit: None,
    "silence a head": lambda edit: edit.silence(1, 0),
    "one cell": lambda edit: edit.set_cell(1, 0, 400, 3, 0.5),
    "ten rows": lambda edit: edit.uniform(1, 0, rows=range(400, 410)),
    "one column": lambda edit: edit.set_column(1, 0, 3, 0.1),
    "a uniform head": lambda edit: edit.uniform(1, 0),
    "a blank token": lambda edit: edit.blank(3),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lengths", type=int, nargs="+", default=[512, 1024, 2048, 4096])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.manual_seed(0)
    size = max(options.lengths)
    model = Llama(LlamaConfig(vocab_size=512, context=size, intermediate_size=1024, **SHAPE)).eval()
    rows = []
    for length in options.lengths:
        ids = torch.randint(512, (1, length))
        seconds: dict[str, list[float]] = {name: [] for name in EDITS}
        weights = {}
        for _ in range(options.repeats):
            for name, ask in EDITS.items():
                with Edit(model) as edit, torch.no_grad():
                    ask(edit)
                    start = time.perf_counter()
                    model(ids)
                    seconds[name].append(time.perf_counter() - start)
                    weights[name] = edit.num_weights
        every = SHAPE["num_layers"] * SHAPE["num_heads"] * length * length
        for name in EDITS:
            spent = statistics.median(seconds[name])
            more = spent - statistics.median(seconds["nothing"])
            rows.append((length, name, weights[name], weights[name] / every, spent, more))
    print(f"{'tokens':>7} {'edit':<16} {'weights':>11} {'of all':>8} {'seconds':>8} {'more':>8}")
    for length, name, count, share, spent, more in rows:
        print(f"{length:>7} {name:<16} {count:>11,} {share:>8.3%} {spent:>8.3f} {more:>+8.3f}")
    names = ("tokens", "edit", "weights", "share", "seconds", "more_seconds")
    document = {
        "machine": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "repeats": options.repeats,
        "rows": [dict(zip(names, row, strict=True)) for row in rows],
    }
    RESULTS.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
