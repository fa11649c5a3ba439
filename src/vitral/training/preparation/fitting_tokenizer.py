"""A vocabulary without a size from the user becomes as large as the text supports."""

from collections.abc import Collection, Sequence
from pathlib import Path

from vitral.errors import VitralError
from vitral.training.preparation.corpus_preparation import Prepared, prepare
from vitral.training.preparation.pair_preparation import PreparedPairs
from vitral.training.recipes.recipe import Recipe

_TRIALS = 4
"""The library's trainers break ties at random: the size that an error names may miss by a few."""


def prepare_fitting(
    recipe: Recipe, sources: Sequence[str | Path], out: Path, said: Collection[str]
) -> tuple[Recipe, Prepared | PreparedPairs]:
    """`prepare`, and the recipe that it used: with another size of vocabulary where the
    text does not suit the one in `recipe`, unless its path is among those that were `said`; and
    with single bytes where no size does.

    Raises what `prepare` raises.
    """
    for _ in range(_TRIALS):
        try:
            return recipe, prepare(recipe, sources, out)
        except VitralError as error:
            size = error.values.get("largest", error.values.get("least"))
            fits = error.key in ("vocabulary_too_large", "vocabulary_too_small")
            if not fits or "tokenizer.vocab_size" in said or not isinstance(size, int):
                raise
            choice = {"kind": recipe.tokenizer.kind, "vocab_size": size}
            no_pieces = error.key == "vocabulary_too_small" or size < 1
            if no_pieces and "tokenizer.kind" not in said and choice["kind"] == "byte_bpe":
                choice = {"kind": "byte"}
        recipe = Recipe.model_validate(
            recipe.model_dump() | {"tokenizer": choice, "model": recipe.model}
        )
    return recipe, prepare(recipe, sources, out)
