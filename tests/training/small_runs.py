"""Very small corpora and recipes for tests of training."""

from pathlib import Path
from typing import Any

from vitral.training.preparation.corpus_preparation import prepare
from vitral.training.recipes.recipe import Recipe
from vitral.training.recipes.shapes import ENCODERS
from vitral.training.trainer import Trainer

BOOK = "El perro que persiguió al gato cruzó la calle. El gato huyó.\n\n-¿Qué? -dijo.\n\n" * 40


def books(folder: Path) -> Path:
    """Three books; "tres" is the one to hold out."""
    folder.mkdir(exist_ok=True, parents=True)
    for name in ("uno", "dos", "tres"):
        (folder / f"{name}.txt").write_text(BOOK, encoding="utf-8")
    return folder


def recipe(form: str, **changes: Any) -> Recipe:
    """A recipe for those books: two layers, sixteen wide, eight steps."""
    shape = {"form": form, "context": 16, "hidden_size": 16, "num_layers": 2, "num_heads": 2}
    encoder = form in ENCODERS
    entries: dict[str, Any] = {
        "name": "muy-pequeño",
        "model": shape | {"intermediate_size": 24},
        "tokenizer": {
            "kind": "wordpiece" if encoder else "byte_bpe",
            "vocab_size": 60 if encoder else 300,
        },
        "data": {"held_out": ["tres"]},
        "batch": {"tokens": 64, "lengths": [8, 16]},
        "steps": 8,
        "evaluate_every": 4,
        "checkpoint_minutes": 60.0,
    }
    entries["model"] |= changes.pop("model", {})
    if "minutes" in changes:
        del entries["steps"]
    return Recipe.model_validate(entries | changes)


def trainer(made: Recipe, data: Path, out: Path, **options: Any) -> Trainer:
    """A trainer on the books of the folder `data`."""
    start = options.get("start")
    return Trainer(made, prepare(made, [data], out, start=start), out, **options)
