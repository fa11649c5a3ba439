"""A very small run on a very small corpus, from books to a folder that transformers opens."""

import json
from pathlib import Path

import pytest
import torch

from vitral.errors import VitralError
from vitral.models.hugging_face import write
from vitral.training.recipe import Recipe, read_recipe
from vitral.training.trainer import Trainer

RECIPES = Path(__file__).parents[2] / "recipes"
BOOK = "El perro que persiguió al gato cruzó la calle. El gato huyó.\n\n-¿Qué? -dijo.\n\n" * 40


def books(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name in ("uno", "dos", "tres"):
        (folder / f"{name}.txt").write_text(BOOK, encoding="utf-8")
    return folder


def recipe(form: str) -> Recipe:
    shape = {"form": form, "context": 16, "hidden_size": 16, "num_layers": 2, "num_heads": 2}
    shape["intermediate_size"] = 24
    if form == "llama":
        shape["num_key_value_heads"] = 1
    phases = [{"objective": "next_token", "until": 0.5}]
    phases.append({"objective": "next_token" if form == "llama" else "masked_words"})
    return Recipe.model_validate(
        {
            "name": "muy-pequeño",
            "model": shape,
            "vocab_size": 300 if form == "llama" else 60,
            "held_out": ["tres"],
            "phases": phases,
            "minutes": 0.05,
            "tokens_per_step": 64,
            "lengths": [8, 16],
            "evaluate_every": 5,
            "checkpoint_minutes": 0.01,
        }
    )


@pytest.mark.parametrize("form", ["llama", "bert"])
def test_a_run_learns_and_leaves_its_curve(form: str, tmp_path: Path) -> None:
    trainer = Trainer(recipe(form), books(tmp_path / "books"), tmp_path / "run", compiled=False)
    trainer.run()
    lines = (tmp_path / "run" / "curve.jsonl").read_text().splitlines()
    curve = [json.loads(line) for line in lines]
    assert curve[-1]["loss"] < curve[0]["loss"] - 0.5
    assert curve[-1]["step"] == trainer.state["step"]
    measured = "bits_per_byte" if form == "llama" else "masked_accuracy"
    assert curve[-1][measured] > 0
    attention = trainer.model.layers[0].attention
    assert attention.causal == (form == "llama")


@pytest.mark.parametrize("form", ["llama", "bert"])
def test_a_resumed_run_equals_an_uninterrupted_one(form: str, tmp_path: Path) -> None:
    data = books(tmp_path / "books")

    def steps(trainer: Trainer, number: int) -> Trainer:
        trainer.state["minutes"] = 0.04 if form == "bert" else 0.01  # progress decides the rate
        trainer.enter_phase()
        for _ in range(number):
            trainer.step()
        return trainer

    whole = steps(Trainer(recipe(form), data, tmp_path / "whole", compiled=False), 4)
    # The trainers of tokenizers break ties differently from run to run: share the outcome.
    (tmp_path / "parts").mkdir()
    for name in ("tokenizer.json", "tokens.ids.npy", "tokens.starts.npy"):
        (tmp_path / "parts" / name).write_bytes((tmp_path / "whole" / name).read_bytes())
    first = steps(Trainer(recipe(form), data, tmp_path / "parts", compiled=False), 2)
    first.save()
    second = steps(Trainer(recipe(form), data, tmp_path / "parts", compiled=False), 2)
    assert second.state["step"] == whole.state["step"] == 4
    for (name, a), (_, b) in zip(
        whole.model.named_parameters(), second.model.named_parameters(), strict=True
    ):
        assert torch.equal(a, b), name


def test_a_run_grows_on_its_way_and_resumes_at_either_depth(tmp_path: Path) -> None:
    data = books(tmp_path / "books")
    growing = recipe("bert").model_dump()
    growing["phases"] = [
        {"objective": "masked_words", "num_layers": 1, "until": 0.5},
        {"objective": "masked_words"},
    ]

    def trainer() -> Trainer:
        return Trainer(Recipe.model_validate(growing), data, tmp_path / "run", compiled=False)

    first = trainer()
    first.enter_phase()
    first.step()
    assert len(first.model.layers) == 1
    learned = first.optimizers[1].state[first.model.embed.tokens.weight]["exp_avg"].clone()
    first.state["minutes"] = 0.03
    first.save()
    second = trainer()
    assert len(second.model.layers) == 1
    second.enter_phase()
    assert len(second.model.layers) == second.model.config.num_layers == 2
    kept = second.optimizers[1].state[second.model.embed.tokens.weight]["exp_avg"]
    assert torch.equal(kept, learned)
    second.step()
    second.save()
    third = trainer()
    assert len(third.model.layers) == 2
    for a, b in zip(second.model.parameters(), third.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_stop_between_the_two_moves_of_a_checkpoint_loses_nothing(tmp_path: Path) -> None:
    data = books(tmp_path / "books")
    trainer = Trainer(recipe("llama"), data, tmp_path / "run", compiled=False)
    trainer.enter_phase()
    trainer.step()
    trainer.save()
    (tmp_path / "run" / "checkpoint").rename(tmp_path / "run" / "checkpoint.old")
    assert Trainer(recipe("llama"), data, tmp_path / "run", compiled=False).state["step"] == 1


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    data = books(tmp_path / "books")
    trainer = Trainer(recipe("llama"), data, tmp_path / "run", compiled=False)
    trainer.save()
    wider = recipe("llama").model_dump()
    wider["model"]["hidden_size"] = 32
    with pytest.raises(VitralError) as caught:
        Trainer(Recipe.model_validate(wider), data, tmp_path / "run", compiled=False)
    assert caught.value.key == "checkpoint_mismatch"


def test_a_run_can_go_on_from_a_finished_model(tmp_path: Path) -> None:
    data = books(tmp_path / "books")
    first = Trainer(recipe("bert"), data, tmp_path / "first", compiled=False)
    first.enter_phase()
    first.step()
    write(first.model, first.tokenizer, tmp_path / "model")
    second = Trainer(
        recipe("bert"), data, tmp_path / "second", start=tmp_path / "model", compiled=False
    )
    assert second.tokenizer.to_str() == first.tokenizer.to_str()
    assert second.state["step"] == 0
    for a, b in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(VitralError) as caught:
        Trainer(recipe("llama"), data, tmp_path / "third", start=tmp_path / "model")
    assert caught.value.key == "start_mismatch"


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_is_valid_and_gives_its_command(path: Path) -> None:
    assert read_recipe(path).name == path.stem
    head = path.read_text(encoding="utf-8").split("\nname:")[0]
    assert f"python -m vitral.training recipes/{path.name}" in head


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("name: [", "while parsing"),
        ("name: x\nminutos: 3", "model"),
        ("- 1", "dictionary"),
    ],
)
def test_a_wrong_recipe_is_one_line_that_names_the_place(
    text: str, named: str, tmp_path: Path
) -> None:
    path = tmp_path / "mala.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(VitralError, match=named) as caught:
        read_recipe(path)
    assert "\n" not in str(caught.value)
