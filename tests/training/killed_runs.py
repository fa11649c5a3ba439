"""A run in a process of its own, to be killed by a test."""

from pathlib import Path
from typing import Any

import torch
from tests.training.word_runs import prepared, recipe

from vitral.training.recipes.recipe import Recipe
from vitral.training.trainer import Trainer

GROWING = [
    {"objective": "next_token", "num_layers": 1, "until": 0.4},
    {"objective": "next_token"},
]


def whole_recipe(form: str) -> Recipe:
    """Dropout, accumulation, a phase that grows, a checkpoint after every step."""
    phases = GROWING if form == "llama" else [{"objective": "masked_words"}]
    return recipe(
        form,
        model={"dropout": 0.1},
        batch={"tokens": 80, "lengths": [8, 16], "parts": 2},
        phases=phases,
        steps=40,
        evaluate_every=4,
        checkpoint_minutes=0.0,
        patience=20,
    )


def run(form: str, out: str, changes: dict[str, Any]) -> None:
    """Train to the end, on one thread, as every process that is compared does."""
    torch.set_num_threads(1)
    made = whole_recipe(form).model_copy(update=changes)
    Trainer(made, prepared(), Path(out)).run()
