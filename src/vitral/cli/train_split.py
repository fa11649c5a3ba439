"""The line about the text that a run is evaluated on."""

import json
from pathlib import Path
from typing import Any

from vitral.messages import message
from vitral.training.preparation.corpus_preparation import SPLIT
from vitral.training.preparation.held_out import within
from vitral.training.recipes.recipe import Recipe


def said_of_split(recipe: Recipe, prepared: Any, out: Path) -> str | None:
    """How many documents there are, which share is held out, and how much of it an evaluation
    reads; None for a run without this information (on pairs, or of an earlier version)."""
    try:
        counts = json.loads((out / SPLIT).read_text(encoding="utf-8"))
        documents, held_out = counts["documents"], counts["held_out"]
        share = f"{counts['share_of_text']:.1%}"
    except (OSError, ValueError, KeyError, TypeError):
        return None
    texts = within(prepared.samples, recipe.evaluate_characters)
    return message(
        "train.split",
        documents=f"{documents:,}",
        held_out=f"{held_out:,}",
        share=share,
        characters=f"{sum(map(len, texts)):,}",
        texts=f"{len(texts):,}",
    )
