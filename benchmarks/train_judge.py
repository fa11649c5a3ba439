"""How good a final model is on tinyshakespeare's validation split, read back from its files.

    python benchmarks/train_judge.py nanogpt out-shakespeare-char input.txt --nanogpt nanoGPT
    python benchmarks/train_judge.py vitral runs/shakespeare-char/model input.txt --nanogpt nanoGPT

All figures are mean nats a character, over the last tenth of the text:

* `whole_split`: windows of 64 side by side, each character but the first predicted once, from at
  most 63 before it. Both sides are compared by this one.
* `random_windows`: as nanoGPT measures, windows of 64 drawn anywhere, but 4,096 of them, the same
  ones for every model.
* `own_context`: each character predicted once from at least half of the model's own context (what
  a model with a longer one can do).
"""

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

WINDOW = 64
Logits = Callable[[Tensor], Tensor]


def nanogpt(folder: Path, checkout: Path, text: str) -> tuple[Logits, dict[str, int], int]:
    sys.path.insert(0, str(checkout))
    from model import GPT, GPTConfig  # type: ignore[import-not-found]

    saved = torch.load(folder / "ckpt.pt", map_location="cpu", weights_only=True)
    with redirect_stdout(sys.stderr):
        model: Any = GPT(GPTConfig(**saved["model_args"]))
    model.load_state_dict(saved["model"])
    model.eval()
    numbers = {character: number for number, character in enumerate(sorted(set(text)))}
    # Without targets it computes the last place only.
    return lambda ids: model(ids, ids)[0], numbers, saved["model_args"]["block_size"]


def vitral(folder: Path, checkout: Path, text: str) -> tuple[Logits, dict[str, int], int]:
    from tokenizers import Tokenizer

    from vitral.models.hugging_face import read

    model: Any = read(folder).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    numbers = {}
    for character in set(text):
        [numbers[character]] = tokenizer.encode(character, add_special_tokens=False).ids
    return model, numbers, model.config.context


def summed(logits: Logits, ids_BT: Tensor, targets_BT: Tensor, skipped: int = 0) -> float:
    """The loss summed over all places from `skipped` on, some windows at a time."""
    total = 0.0
    for ids, targets in zip(ids_BT.split(64), targets_BT.split(64), strict=True):
        found_BTV = logits(ids)[:, skipped:]
        asked = targets[:, skipped:]
        total += float(F.cross_entropy(found_BTV.flatten(0, 1), asked.flatten(), reduction="sum"))
    return total


@torch.no_grad()
def measure(logits: Logits, ids: Tensor, context: int) -> dict[str, float]:
    rows = (len(ids) - 1) // WINDOW
    side_by_side = ids[: rows * WINDOW].view(rows, WINDOW)
    following = ids[1 : rows * WINDOW + 1].view(rows, WINDOW)
    whole = summed(logits, side_by_side, following) / (rows * WINDOW)
    generator = torch.Generator().manual_seed(0)
    starts = torch.randint(len(ids) - WINDOW, (4096,), generator=generator)
    places = starts[:, None] + torch.arange(WINDOW)
    drawn = summed(logits, ids[places], ids[places + 1]) / places.numel()
    half = context // 2
    starts = torch.arange(0, len(ids) - context, half)
    places = starts[:, None] + torch.arange(context)
    sliding = summed(logits, ids[places], ids[places + 1], skipped=context - half)
    return {
        "whole_split": round(whole, 4),
        "random_windows": round(drawn, 4),
        "own_context": round(sliding / (len(starts) * half), 4),
        "context": context,
        "characters": rows * WINDOW,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=("nanogpt", "vitral"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--nanogpt", type=Path, required=True)
    given = parser.parse_args()
    text = given.data.read_text(encoding="utf-8")
    read_back = nanogpt if given.kind == "nanogpt" else vitral
    logits, numbers, context = read_back(given.folder, given.nanogpt, text)
    ids = torch.tensor([numbers[character] for character in text[int(0.9 * len(text)) :]])
    print(json.dumps(measure(logits, ids, context)))


if __name__ == "__main__":
    main()
