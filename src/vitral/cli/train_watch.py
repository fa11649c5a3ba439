"""The sentence that a run records, from its recipe's `watch`."""

from pathlib import Path
from typing import Any

from torch import nn

from vitral.model import Model
from vitral.tracing import Trace
from vitral.training.recipes.recipe import Recipe
from vitral.training.watching.watched_text import WatchedText


def watched_text(recipe: Recipe, prepared: Any, out: Path, *, leads: bool) -> WatchedText | None:
    """Records that sentence's attention in the folder `out`; None if there is no sentence.

    Raises VitralError `text_too_long`, and what tokenizing the sentence raises, before the run
    takes a step."""
    sentence = recipe.watch
    if sentence is None:
        return None

    def trace(module: nn.Module) -> Trace:
        return Model(module, prepared.tokenizer, recipe.name).trace(sentence)

    return WatchedText(out, trace, leads=leads)
