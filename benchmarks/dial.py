"""Does the one dial choose well? Its choice beside fixed sizes, the same minutes for each.

    python benchmarks/dial.py --text ../shared/data/libros/quijote.txt --minutes 3 --threads 1

Each size is trained for so many minutes on the same text, with the tokenizer, batch and schedule
that the dial would give it, and judged by its bits per byte on what was held out. Then the dial
itself chooses, measuring included in its minutes. Writes benchmarks/results/dial.json and draws
docs/images/dial.svg.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from vitral.training.evaluation import next_token_loss_of
from vitral.training.preparation.corpus_preparation import Prepared, prepare
from vitral.training.recipes.dial import SIZES, Size, choose, forecast, recipe_of_size
from vitral.training.recipes.recipe import Recipe
from vitral.training.trainer import Trainer

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "dial.json"
PICTURE = ROOT / "docs" / "images" / "dial.svg"
FIXED = (0, 3, 4)
"""A small, a middling and a large one of the dial's sizes."""


def train(recipe: Recipe, prepared: Prepared, out: Path) -> dict[str, Any]:
    """Train, and say what came out: tokens, bits per byte, and the curve on the way."""
    trainer = Trainer(recipe, prepared, out)
    trainer.run()
    trainer.model.eval()
    found = next_token_loss_of(trainer.model, prepared.tokenizer, prepared.samples)
    lines = (out / "curve.jsonl").read_text(encoding="utf-8").splitlines()
    curve = [json.loads(line) for line in lines]
    return {
        "size": [recipe.model.hidden_size, recipe.model.num_layers],
        "minutes": round(trainer.state["minutes"], 3),
        "tokens": trainer.state["tokens"],
        "bits_per_byte": round(found.bits_per_byte, 4),
        "standard_error": round(found.bits_per_byte_error, 4),
        "curve": [[line["minutes"], line["bits_per_byte"]] for line in curve],
    }


def fixed(size: Size, draft: Recipe, text: Path, minutes: float, folder: Path) -> dict[str, Any]:
    """One size, with what the dial would give it besides."""
    prepared = prepare(draft, [text], folder)
    assert isinstance(prepared, Prepared)
    recipe = recipe_of_size(draft, size, prepared, 60 * minutes)
    result = train(recipe, prepared, folder)
    corpus = len(prepared.tokens.ids)
    result["forecast"] = round(forecast(size.num_weights, result["tokens"], corpus), 4)
    return result


def draw(results: dict[str, Any]) -> None:
    """The curves, the dial's the strongest."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "vitral"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.3, 3.4), layout="constrained")
    colours = ("#4c72b0", "#55a868", "#8172b3", "#c44e52")
    for colour, (name, found) in zip(colours, results["runs"].items(), strict=False):
        minutes, bits = zip(*found["curve"], strict=True)
        width = 2.6 if name == "dial" else 1.4
        label = f"{name}: {found['size'][0]} × {found['size'][1]}"
        axes.plot(minutes, bits, color=colour, linewidth=width, label=label)
    axes.set(xlabel="min", ylabel="bits / byte")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(PICTURE, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path, required=True, help="a UTF-8 text")
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    results: dict[str, Any] = {
        "text": arguments.text.name,
        "minutes": arguments.minutes,
        "threads": arguments.threads,
        "runs": {},
    }
    with tempfile.TemporaryDirectory() as scratch:
        began = time.monotonic()
        folder = Path(scratch) / "dial"
        chosen = choose([arguments.text], arguments.minutes, folder, name="dial")
        prepared = prepare(chosen, [arguments.text], folder)
        assert isinstance(prepared, Prepared)
        results["runs"]["dial"] = train(chosen, prepared, folder)
        results["runs"]["dial"]["all_in_all"] = round((time.monotonic() - began) / 60, 3)
        for index in FIXED:
            name = ("small", "middling", "large")[FIXED.index(index)]
            folder = Path(scratch) / name
            results["runs"][name] = fixed(
                SIZES[index], chosen, arguments.text, arguments.minutes, folder
            )
            print(name, results["runs"][name], flush=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    draw(results)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
