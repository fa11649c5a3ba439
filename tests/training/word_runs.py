"""Runs on a made-up language of forty words, for tests that need no books.

The words are drawn by themselves, the first ones more often, so there is little to learn and
nothing to wait for: a run is prepared in a millisecond.
"""

from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers

from vitral.data.token_file import TokenFile
from vitral.training.preparation.corpus_preparation import Prepared, prepare
from vitral.training.preparation.pair_preparation import PreparedPairs
from vitral.training.recipes.recipe import Recipe

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<s>"]
NUM_WORDS = 40
VOCABULARY = len(SPECIAL) + NUM_WORDS


def words() -> Tokenizer:
    names = SPECIAL + [f"w{number}" for number in range(NUM_WORDS)]
    tokenizer = Tokenizer(
        models.WordLevel({name: number for number, name in enumerate(names)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def prepared(length: int = 3000) -> Prepared:
    """A text of so many words, a sentence every 7, a document every 100."""
    chances = np.arange(1, NUM_WORDS + 1)[::-1] / np.arange(1, NUM_WORDS + 1).sum()
    drawn = np.random.default_rng(0).choice(NUM_WORDS, length, p=chances)
    ids = (drawn + len(SPECIAL)).astype(np.uint16)
    tokens = TokenFile(ids, np.arange(0, length, 7), np.arange(0, length, 100))
    return Prepared(words(), tokens, [" ".join(f"w{number}" for number in drawn[:100])])


def pairs(folder: Path) -> PreparedPairs:
    """Numbers of up to three digits and their names."""
    found = prepare(pair_recipe("transformer"), [], folder)
    assert isinstance(found, PreparedPairs)
    return found


def pair_recipe(form: str, **changes: Any) -> Recipe:
    """One layer, sixteen wide, ten steps of some forty pairs."""
    shape: dict[str, Any] = {"form": form, "context": 64, "hidden_size": 16, "num_layers": 1}
    if form == "transformer":
        shape |= {"num_heads": 2, "intermediate_size": 24}
    entries: dict[str, Any] = {
        "name": "numeros",
        "model": shape,
        "tokenizer": {"kind": "character"},
        "data": {
            "pairs": {"generated": ["spanish_numbers"], "digits": 3, "count": 1000},
            "held_out": 0.2,
        },
        "batch": {"tokens": 400},
        "steps": 10,
        "evaluate_every": 5,
        "checkpoint_minutes": 60.0,
    }
    return Recipe.model_validate(entries | changes)


def recipe(form: str, **changes: Any) -> Recipe:
    """Two layers, sixteen wide, ten steps of five or ten rows."""
    shape: dict[str, Any] = {"form": form, "context": 16, "hidden_size": 16, "num_layers": 2}
    if form != "recurrent":
        shape |= {"num_heads": 2, "intermediate_size": 24}
    entries: dict[str, Any] = {
        "name": "cuarenta-palabras",
        "model": shape | changes.pop("model", {}),
        "batch": {"tokens": 80, "lengths": [8, 16]},
        "steps": 10,
        "evaluate_every": 5,
        "co_occurrence_vectors": False,
        "checkpoint_minutes": 60.0,
    }
    if "minutes" in changes:
        del entries["steps"]
    return Recipe.model_validate(entries | changes)
