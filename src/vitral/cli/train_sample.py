"""Sample texts that a model writes during training."""

from collections.abc import Callable
from typing import Any

from torch import nn

from vitral.model import Model
from vitral.training.recipes.recipe import Recipe

LENGTH = 40
"""The most tokens of a sample."""

PROMPT_WORDS = 3


def sample_prompt(recipe: Recipe, prepared: Any) -> str | None:
    """The beginning of a sample: the recipe's `sample`, or the first words of the held-out text,
    which the vocabulary certainly covers. None if there is no such text."""
    if recipe.sample is not None:
        return recipe.sample
    samples = getattr(prepared, "samples", None) or [""]
    return " ".join(samples[0].split()[:PROMPT_WORDS]) or None


def sample_writer(recipe: Recipe, prepared: Any) -> Callable[[nn.Module, int], str] | None:
    """A function with which a model continues the prompt. None for an encoder."""
    prompt = sample_prompt(recipe, prepared)
    if prompt is None or recipe.phases[-1].objective == "masked_words":
        return None

    def write(module: nn.Module, step: int) -> str:
        model = Model(module, prepared.tokenizer, recipe.name)
        written = model.generate(
            prompt, max_new_tokens=LENGTH, temperature=0.8, top_p=0.9, seed=recipe.seed + step
        )
        return written.rstrip("\ufffd")  # a character of which the last tokens are not there

    return write
