"""The newest checkpoint of a run, as a model folder: to judge a training that is not over.

    python benchmarks/model_of_checkpoint.py --run runs/vitral-es-gpt --out /tmp/gpt-now

A model in the middle of a training says less than it will at the end, when the rate has fallen.
"""

import argparse
from pathlib import Path

import torch

from vitral.models.hugging_face import write
from vitral.training.preparation.corpus_preparation import prepare, shaped_model
from vitral.training.recipes.recipe_file import read_recipe
from vitral.training.runs.checkpoint import most_recent_checkpoint, read_tensors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="the run's folder")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    arguments = parser.parse_args()
    saved = most_recent_checkpoint(arguments.run / "checkpoint", print)
    if saved is None:
        raise SystemExit(f"There is no checkpoint in {arguments.run} yet.")
    recipe = read_recipe(arguments.run / "recipe.yaml")
    prepared = prepare(recipe, [], arguments.run)
    model = shaped_model(recipe, prepared, saved.state["num_layers"])
    tensors = read_tensors(saved.folder)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(tensors[f"model.{name}"])
    write(model, prepared.tokenizer, arguments.out)
    print(f"{arguments.out}: step {saved.state['step']}, {saved.state['tokens']:,} tokens")


if __name__ == "__main__":
    main()
