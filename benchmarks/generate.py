"""Writing: tokens a second of the bundled decoder, beside transformers' generate and llama.cpp.

    pip install -e '.[bench]'
    python -m venv /tmp/llamacpp && /tmp/llamacpp/bin/pip install gguf llama-cpp-python
    python benchmarks/generate.py --threads 1 --llama-python /tmp/llamacpp/bin/python

The same prompt, the same weights, greedy, no end mark, one process a library; all take turns, a
turn is one text (or one batch of equal texts) from the prompt on. `seconds` is the wall's clock,
`cpu_seconds` what the process had of the processor: with one thread the two differ by what
others took, and ratios of the second hold on a busy machine too (not what others did to its
caches). Ratios are medians of the turns' ratios.

- *vitral*: `generate_ids`, as `model.generate` and `vitral generate` call it; float32.
- *vitral, stream*: `model.stream`, text in and text out, characters kept whole.
- *vitral, plain*: the module itself, as when somebody watches or edits.
- *transformers*: `LlamaForCausalLM.generate`, float32, key–value cache, fused attention.
- *transformers, static cache*: the same with `cache_implementation="static"`.
- *llama.cpp*: through llama-cpp-python, weights and cache in float16
  (`llama_cpp_worker.py` writes them as GGUF); left out, with the reason, where it is not there.

`same_ids` says for how many of the new tokens each wrote what vitral wrote. Prints a table and
writes benchmarks/results/generate.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers

import vitral
from vitral.generation.generate import generate_ids
from vitral.generation.reading import OwnReader
from vitral.models.catalog import BUNDLED

RESULTS = Path(__file__).parent / "results" / "generate.json"
FOLDER = Path(vitral.__file__).parent / "assets" / "models" / BUNDLED[1]
PROMPT = "El perro que persiguió al gato"

Turn = dict[str, Any]  # seconds, cpu_seconds, ids of the first text


def timed(write: Callable[[], Any]) -> Turn:
    started, used = time.perf_counter(), time.process_time()
    ids = write()
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    return {"seconds": seconds, "cpu_seconds": cpu, "ids": ids}


class Ours:
    def __init__(self, num_new: int) -> None:
        self.model = vitral.load(BUNDLED[1])
        self.ids = torch.tensor([[token.id for token in self.model.tokens(PROMPT)]])
        self.num_new = num_new

    def write(self, batch: int) -> list[int]:
        rows = self.ids.expand(batch, -1)
        new = generate_ids(self.model.module, rows, max_new_tokens=self.num_new)
        return [int(next_B[0]) for next_B in new]

    def plain(self, batch: int) -> list[int]:
        rows, reader = self.ids.expand(batch, -1), OwnReader(self.model.module, use_cache=True)
        reader._fast = None
        module = self.model.module
        new = generate_ids(module, rows, max_new_tokens=self.num_new, reader=reader)
        return [int(next_B[0]) for next_B in new]

    def stream(self, batch: int) -> None:
        assert batch == 1, "a stream is of one text"
        "".join(self.model.stream(PROMPT, max_new_tokens=self.num_new))


class Theirs:
    def __init__(self, ids_1T: torch.Tensor, num_new: int) -> None:
        transformers.utils.logging.disable_progress_bar()
        model = transformers.LlamaForCausalLM.from_pretrained(FOLDER, dtype=torch.float32)
        self.model, self.ids, self.num_new = model.eval(), ids_1T, num_new

    @torch.inference_mode()
    def write(self, batch: int, **options: Any) -> list[int]:
        rows = self.ids.expand(batch, -1)
        written = self.model.generate(
            rows,
            attention_mask=torch.ones_like(rows),
            max_new_tokens=self.num_new,
            min_new_tokens=self.num_new,
            do_sample=False,
            eos_token_id=None,
            pad_token_id=0,
            **options,
        )
        ids: list[int] = written[0, rows.shape[1] :].tolist()
        return ids

    def write_static(self, batch: int) -> list[int]:
        return self.write(batch, cache_implementation="static", disable_compile=True)


class LlamaCpp:
    """llama.cpp in a process of its own; raises OSError where it cannot be had."""

    def __init__(self, python: str | None, ids: list[int], num_new: int, threads: int) -> None:
        if python is None:
            raise OSError("no --llama-python given")
        worker = Path(__file__).parent / "llama_cpp_worker.py"
        gguf = str(Path(tempfile.mkdtemp()) / "model.gguf")
        command = [python, str(worker), str(FOLDER), gguf, "--threads", str(threads)]
        command += ["--num-new", str(num_new), "--ids", *map(str, ids), "--prompt", PROMPT]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.about = self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise OSError(f"llama_cpp_worker.py ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def turn(self, batch: int) -> Turn:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{batch}\n")
        self._process.stdin.flush()
        return self._answer()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--num-new", type=int, default=200)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--llama-python", help="a Python that has llama-cpp-python and gguf")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    ours = Ours(options.num_new)
    theirs = Theirs(ours.ids, options.num_new)
    methods: dict[str, Callable[[int], Turn]] = {
        "vitral": lambda batch: timed(lambda: ours.write(batch)),
        "vitral, stream": lambda batch: timed(lambda: ours.stream(batch)),
        "vitral, plain": lambda batch: timed(lambda: ours.plain(batch)),
        "transformers": lambda batch: timed(lambda: theirs.write(batch)),
        "transformers, static cache": lambda batch: timed(lambda: theirs.write_static(batch)),
    }
    left_out = {}
    about: dict[str, Any] = {}
    try:
        prompt = ours.ids[0].tolist()
        llama = LlamaCpp(options.llama_python, prompt, options.num_new, options.threads)
        methods["llama.cpp"], about = llama.turn, llama.about
    except OSError as error:
        left_out["llama.cpp"] = str(error)
    document = {
        "command": "python " + " ".join(["benchmarks/generate.py", *sys.argv[1:]]),
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit(),
        "machine": f"{processor()}, {torch.get_num_threads()} thread(s)",
        "share_of_a_core": share_of_a_core(),
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__} | about,
        "prompt": PROMPT,
        "num_new": options.num_new,
        "left_out": left_out,
        "batches": {
            str(batch): measured(methods, batch, options.repeats, options.num_new)
            for batch in options.batches
        },
    }
    options.out.write_text(
        json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    print(table(document))


def measured(
    methods: dict[str, Callable[[int], Turn]], batch: int, repeats: int, num_new: int
) -> dict[str, Any]:
    """Medians of `repeats` turns, after one that does not count."""
    if batch > 1:
        methods = {name: each for name, each in methods.items() if name != "vitral, stream"}
    first = {name: run(batch) for name, run in methods.items()}
    turns: dict[str, list[Turn]] = {name: [] for name in methods}
    for _ in range(repeats):
        for name, run in methods.items():
            turns[name].append(run(batch))
    found: dict[str, Any] = {}
    for name, runs in turns.items():
        found[name] = {
            "tokens_a_second": round(
                batch * num_new / statistics.median(run["seconds"] for run in runs), 1
            ),
            "tokens_a_cpu_second": round(
                batch * num_new / statistics.median(run["cpu_seconds"] for run in runs), 1
            ),
            "same_ids": num_same(first["vitral"]["ids"], first[name]["ids"]),
            **{
                f"vitral_is_times_as_fast{suffix}": round(
                    statistics.median(
                        run[clock] / own[clock]
                        for run, own in zip(runs, turns["vitral"], strict=True)
                    ),
                    2,
                )
                for suffix, clock in (("", "seconds"), ("_cpu", "cpu_seconds"))
            },
            "all_seconds": [round(run["seconds"], 4) for run in runs],
            "all_cpu_seconds": [round(run["cpu_seconds"], 4) for run in runs],
        }
    return found


def num_same(ids: list[int], others: list[int] | None) -> int | None:
    """How many tokens are the same until the first that is not."""
    if others is None:
        return None
    differing = (i for i, (one, two) in enumerate(zip(ids, others, strict=True)) if one != two)
    return next(differing, len(ids))


def table(document: dict[str, Any]) -> str:
    lines = [
        "| batch | method | tokens/s | vitral is × as fast | tokens/CPU s | × | same ids |",
        "|---|---|---|---|---|---|---|",
    ]
    for batch, found in document["batches"].items():
        for name, row in found.items():
            same = "–" if row["same_ids"] is None else row["same_ids"]
            lines.append(
                f"| {batch} | {name} | {row['tokens_a_second']:.0f} "
                f"| {row['vitral_is_times_as_fast']:.2f} | {row['tokens_a_cpu_second']:.0f} "
                f"| {row['vitral_is_times_as_fast_cpu']:.2f} | {same} |"
            )
    lines += [f"{name} left out: {reason}" for name, reason in document["left_out"].items()]
    return "\n".join([*lines, f"share of a core: {document['share_of_a_core']}"])


def share_of_a_core(seconds: float = 2.0) -> float:
    """How much of a core a busy process gets here now: 1 on a quiet machine."""
    started, used = time.perf_counter(), time.process_time()
    while time.perf_counter() - started < seconds:
        pass
    return round((time.process_time() - used) / (time.perf_counter() - started), 2)


def commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent)
    return done.stdout.strip() or "unknown"


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"


if __name__ == "__main__":
    main()
