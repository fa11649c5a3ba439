"""One trainer's steps, timed in a process of its own; `train.py` asks for them by turns.

    python benchmarks/train_worker.py recipe input.txt --recipe RECIPE.yaml --out FOLDER
    echo '{"batch": 12, "length": 64, "precision": "float32", "compiled": false, "steps": 40}' |
        python benchmarks/train_worker.py vitral input.txt --nanogpt nanoGPT

All train the same model by the same rule: GPT-2 with 4 layers, 4 heads, 128 wide, biases, exact
GELU, tied embeddings, no dropout; AdamW, clipped to 1; windows drawn anywhere in the text.

* *vitral*: `Trainer.run` with a recipe, as `vitral train` runs it.
* *transformers*: `Trainer.train` with `GPT2LMHeadModel`.
* *nanogpt*: its model and its optimiser, taken from the checkout, in the order of its train.py.
  On a processor its train.py computes in float32 only; for bfloat16 the forward pass stands under
  `torch.autocast`, which is what train.py does on a GPU.

An answer is one line of JSON: the seconds between the ends of successive steps, and the
process's seconds of computing. The first `WARM_UP` steps do not count.

*recipe* is no part of that: it runs one of our recipes to its end, and says what it took from
the beginning of the first step to the end of the last.
"""

import argparse
import json
import logging
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from itertools import pairwise
from pathlib import Path
from typing import Any

WARM_UP = 3
LAYERS, HEADS, WIDTH = 4, 4, 128
RATE, BETAS, DECAY = 1e-3, (0.9, 0.99), 0.1

Order = dict[str, Any]
Tick = Callable[[], None]


def characters(text: str) -> dict[str, int]:
    """The number of each character, in the order of their code points."""
    return {character: number for number, character in enumerate(sorted(set(text)))}


def vitral(data: Path, nanogpt: Path, order: Order, tick: Tick) -> None:
    from vitral.training.preparation.corpus_preparation import prepare
    from vitral.training.recipes.recipe import Recipe
    from vitral.training.trainer import Trainer
    from vitral.training.watching.watcher import Stepped, Watcher

    class Ticking(Watcher):
        def stepped(self, event: Stepped) -> None:
            tick()

    shape = {
        "form": "gpt2",
        "activation": "gelu",
        "context": order["length"],
        "hidden_size": WIDTH,
        "num_layers": LAYERS,
        "num_heads": HEADS,
        "intermediate_size": 4 * WIDTH,
    }
    recipe = Recipe.model_validate(
        {
            "name": "speed",
            "model": shape,
            "tokenizer": {"kind": "character"},
            "data": {"cleaning": "plain", "windows": "anywhere"},
            "batch": {
                "tokens": order["batch"] * order["length"],
                "lengths": [order["length"]],
            },
            "optimizer": {"kind": "adamw", "rate": RATE, "betas": BETAS, "weight_decay": DECAY},
            "precision": order["precision"],
            "steps": order["steps"],
            "evaluate_every": 10**9,
            "checkpoint_minutes": 10**6,
            "co_occurrence_vectors": False,
        }
    )
    with tempfile.TemporaryDirectory() as out:
        prepared = prepare(recipe, [data], Path(out))
        trainer = Trainer(
            recipe, prepared, Path(out), compiled=order["compiled"], watchers=[Ticking()]
        )
        trainer.run()


def transformers(data: Path, nanogpt: Path, order: Order, tick: Tick) -> None:
    import numpy as np
    from torch.utils.data import Dataset
    from transformers import (
        GPT2Config,
        GPT2LMHeadModel,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    text = data.read_text(encoding="utf-8")
    numbers = characters(text)
    ids = np.array([numbers[character] for character in text], dtype=np.int64)
    length, batch, steps = order["length"], order["batch"], order["steps"]
    places = np.random.default_rng(0).integers(0, len(ids) - length, batch * steps)

    class Windows(Dataset):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return len(places)

        def __getitem__(self, number: int) -> dict[str, Any]:
            window = ids[places[number] : places[number] + length]
            return {"input_ids": window, "labels": window}

    class Ticking(TrainerCallback):
        def on_step_end(self, *arguments: Any, **others: Any) -> None:
            tick()

    config = GPT2Config(
        vocab_size=len(numbers),
        n_positions=length,
        n_embd=WIDTH,
        n_layer=LAYERS,
        n_head=HEADS,
        activation_function="gelu",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        use_cache=False,
        bos_token_id=None,
        eos_token_id=None,
    )
    with tempfile.TemporaryDirectory() as out:
        arguments = TrainingArguments(
            output_dir=out,
            max_steps=steps,
            per_device_train_batch_size=batch,
            learning_rate=RATE,
            adam_beta1=BETAS[0],
            adam_beta2=BETAS[1],
            weight_decay=DECAY,
            max_grad_norm=1.0,
            bf16=order["precision"] == "bfloat16",
            torch_compile=order["compiled"],
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
        )
        trainer = Trainer(
            model=GPT2LMHeadModel(config),
            args=arguments,
            train_dataset=Windows(),
            callbacks=[Ticking()],
        )
        trainer.train()


def nanogpt(data: Path, nanogpt: Path, order: Order, tick: Tick) -> None:
    import numpy as np
    import torch

    sys.path.insert(0, str(nanogpt))
    from model import GPT, GPTConfig  # type: ignore[import-not-found]

    text = data.read_text(encoding="utf-8")
    numbers = characters(text)
    ids = np.array([numbers[character] for character in text], dtype=np.uint16)
    length = order["length"]
    model: Any = GPT(
        GPTConfig(
            block_size=length,
            vocab_size=len(numbers),
            n_layer=LAYERS,
            n_head=HEADS,
            n_embd=WIDTH,
            dropout=0.0,
            bias=True,
        )
    )
    optimizer = model.configure_optimizers(DECAY, RATE, BETAS, "cpu")
    forward = torch.compile(model) if order["compiled"] else model
    half = order["precision"] == "bfloat16"
    for _ in range(order["steps"]):
        places = torch.randint(len(ids) - length, (order["batch"],)).tolist()
        windows = torch.from_numpy(
            np.stack([ids[place : place + length + 1] for place in places]).astype(np.int64)
        )
        with torch.autocast("cpu", torch.bfloat16) if half else nullcontext():
            _, loss = forward(windows[:, :-1].contiguous(), windows[:, 1:].contiguous())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()  # its train.py prints every step's loss
        tick()


def run_recipe(data: Path, recipe_file: Path, out: Path) -> dict[str, float]:
    """Train a recipe to its end. What reading the corpus takes is left out, as it is for others."""
    from vitral.training.preparation.corpus_preparation import prepare
    from vitral.training.recipes.recipe_file import read_recipe
    from vitral.training.trainer import Trainer
    from vitral.training.watching.watcher import Stepped, Watcher

    clocks: list[tuple[float, float]] = []
    told: dict[str, float] = {}

    class Timing(Watcher):
        def started(self, name: str, num_parameters: int, step: int) -> None:
            told["parameters"] = num_parameters
            clocks.append((time.perf_counter(), time.process_time()))

        def stepped(self, event: Stepped) -> None:
            clocks.append((time.perf_counter(), time.process_time()))
            told.update(steps=event.step, tokens=event.tokens)

    recipe = read_recipe(recipe_file)
    prepared = prepare(recipe, [data], out)
    Trainer(recipe, prepared, out, watchers=[Timing()]).run()
    seconds, cpu = (last - first for first, last in zip(clocks[0], clocks[-1], strict=True))
    return told | {"seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2)}


TRAINERS = {"vitral": vitral, "nanogpt": nanogpt, "transformers": transformers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trainer", choices=[*TRAINERS, "recipe"])
    parser.add_argument("data", type=Path)
    parser.add_argument("--nanogpt", type=Path, help="a checkout of nanoGPT")
    parser.add_argument("--recipe", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    answer, sys.stdout = sys.stdout, sys.stderr
    if given.trainer == "recipe":
        with redirect_stdout(sys.stderr):
            told = run_recipe(given.data, given.recipe, given.out)
        print(json.dumps(told), file=answer, flush=True)
        return
    for line in sys.stdin:
        order = json.loads(line)
        order["steps"] += WARM_UP
        ends: list[tuple[float, float]] = []
        torch.manual_seed(0)
        torch.compiler.reset()
        with redirect_stdout(sys.stderr):
            TRAINERS[given.trainer](
                given.data,
                given.nanogpt,
                order,
                lambda: ends.append((time.perf_counter(), time.process_time())),  # noqa: B023
            )
        counted = ends[WARM_UP - 1 :]
        pairs = pairwise(counted)
        told = {
            "seconds": [one[0] - other[0] for other, one in pairs],
            "cpu": counted[-1][1] - counted[0][1],
        }
        print(json.dumps(told), file=answer, flush=True)


if __name__ == "__main__":
    main()
