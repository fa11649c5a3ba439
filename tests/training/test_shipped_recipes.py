"""Every recipe that comes with Vitral, for a few steps, in the shape that it says."""

import random
from pathlib import Path

import pytest

import vitral
from vitral.models.hugging_face import write
from vitral.text.tokenizers import train_tokenizer
from vitral.training.preparation.corpus_preparation import prepare
from vitral.training.recipes.recipe import Recipe
from vitral.training.recipes.recipe_file import Setting, read_recipe
from vitral.training.recipes.shapes import TRANSLATORS, build_model
from vitral.training.trainer import Trainer

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))


def corpus(folder: Path) -> Path:
    """Four documents of made-up Spanish: enough for a vocabulary of some hundreds."""
    folder.mkdir()
    draw = random.Random(0)
    syllables = [a + b for a in "bcdfglmnprstvñ" for b in "aeiouáéíóú"]
    words = ["".join(draw.choices(syllables, k=draw.randint(1, 3))) for _ in range(400)]
    for name in ("uno", "dos", "tres", "cuatro"):
        sentences = [" ".join(draw.choices(words, k=9)).capitalize() + "." for _ in range(80)]
        (folder / f"{name}.txt").write_text("\n\n".join(sentences), encoding="utf-8")
    return folder


def pairs(folder: Path) -> Path:
    """A file of pairs of made-up Spanish, each text beside itself backwards."""
    lines = [
        line
        for path in sorted(corpus(folder).glob("*.txt"))
        for line in path.read_text(encoding="utf-8").split("\n\n")
    ]
    path = folder / "pares.tsv"
    path.write_text("".join(f"{line}\t{line[::-1]}\n" for line in lines), encoding="utf-8")
    return path


def start(made: Recipe, folder: Path) -> Path:
    """A model of the recipe's shape, with other tokens, for it to go on from."""
    tokenizer = train_tokenizer(["de lo que nadie supo nunca una palabra"], "wordpiece", 40)
    write(build_model(made.model, tokenizer.get_vocab_size()), tokenizer, folder)
    return folder


def reads_pairs(recipe: Recipe) -> bool:
    return recipe.model.form in TRANSLATORS


def few_steps(path: Path) -> Recipe:
    """The recipe with its own model and objective; only how much it reads is cut down."""
    settings = ["steps=2", "evaluate_every=2", "tokenizer.vocab_size=300"]
    whole = read_recipe(path)
    if not reads_pairs(whole):
        settings += [f"batch.tokens={max(whole.batch.lengths)}", "data.held_out=[cuatro]"]
    elif whole.data.pairs is None:
        settings += ["batch.tokens=256", "data.held_out=0.1"]
    else:
        settings += ["batch.tokens=256", "data.pairs.count=300"]
        settings[2] = f"tokenizer.kind={whole.tokenizer.kind}"
    return read_recipe(path, [Setting.read(text) for text in settings])


def sources(made: Recipe, folder: Path) -> list[Path]:
    if made.data.pairs is not None:
        return []
    return [pairs(folder) if reads_pairs(made) else corpus(folder)]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_runs(path: Path, tmp_path: Path) -> None:
    whole, made = read_recipe(path), few_steps(path)
    assert made.model == whole.model
    assert made.optimizer == whole.optimizer
    takes_over = made.tokenizer.transfer is not None
    before = start(made, tmp_path / "start") if takes_over else None
    prepared = prepare(made, sources(made, tmp_path / "libros"), tmp_path / "run", start=before)
    run = Trainer(made, prepared, tmp_path / "run", start=before)
    assert run.run()
    assert run.state["step"] == 2
    assert run.model.config.num_layers == whole.model.num_layers  # type: ignore[union-attr]
    opened = vitral.load(tmp_path / "run" / "model")
    kinds = {"next_token": "decoder", "masked_words": "encoder"}
    assert opened.kind == kinds.get(made.phases[-1].objective, "encoder-decoder")
