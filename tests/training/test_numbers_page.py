"""The recipes of numbers run, and docs/numbers.md says what is so."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

import vitral
from vitral.cli.program import run
from vitral.training.recipes.recipe_file import read_recipe
from vitral.training.recipes.shapes import build_model

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "recipes").glob("numeros-*.yaml"))
PAGE = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
SMALL = ["--steps", "2", "--set", "data.pairs.count=200", "--set", "batch.tokens=200"]
SMALL += ["--device", "cpu", "--set", "evaluate_every=5"]
CHARACTERS = 40
"""About as many as the task has."""


def blocks(language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    assert found
    return found


def test_there_are_the_recipes_of_the_page() -> None:
    names = re.findall(r"^\| `(numeros-[a-z-]+)` \|", PAGE, flags=re.MULTILINE)
    assert {path.stem for path in RECIPES} == set(names)
    for path in RECIPES:
        first = path.read_text(encoding="utf-8").splitlines()[1]
        assert first == f"#   vitral train --recipe recipes/{path.name}"
        assert read_recipe(path).name == path.stem


def test_the_models_have_about_as_many_weights_and_read_the_same_pairs() -> None:
    recipes = [read_recipe(path) for path in RECIPES]
    for recipe in recipes:
        model = build_model(recipe.model, CHARACTERS)
        weights = sum(weight.numel() for weight in model.parameters())
        assert weights == pytest.approx(98_000, rel=0.02)
    told = {recipe.model_dump_json(exclude={"name", "model"}) for recipe in recipes}
    assert len(told) == 1


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_trains_without_sources(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["train", "--recipe", str(path), *SMALL]) == 0
    model = vitral.load(tmp_path / "runs" / path.stem / "model")
    assert model.kind == "encoder-decoder"


def test_what_the_page_shows_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").symlink_to(ROOT / "recipes")
    pairs = [f"{n}\t{'a' * (n % 7 + 1)}\n" for n in range(200)]
    (tmp_path / "pares.tsv").write_text("".join(pairs), encoding="utf-8")
    own: dict[str, Any] = yaml.safe_load(RECIPES[0].read_text(encoding="utf-8"))
    del own["data"]["pairs"]
    (tmp_path / "my-recipe.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    for line in "".join(blocks("bash")).splitlines():
        command = shlex.split(line)
        assert command[0] == "vitral"
        small = SMALL if "recipes/" in line else [*SMALL[:2], "--set", "batch.tokens=200"]
        assert run(command[1:] + (small if command[1] == "train" else [])) == 0
    capsys.readouterr()
    names: dict[str, Any] = {}
    for block in blocks("python"):
        exec(compile(block, "docs/numbers.md", "exec"), names)
    assert trace_is_of_the_answer(names["trace"])


def trace_is_of_the_answer(trace: Any) -> bool:
    heads, written, read = trace["decoder.layers.0.cross_attention.pattern"].shape
    return (heads, written, read) == (1, 69, 11)


def test_comments_say_what_comes_out() -> None:
    names: dict[str, Any] = {}
    told = 0
    for block in blocks("python")[:2]:
        for line in block.splitlines():
            code, _, comment = line.partition("  # ")
            if comment:
                assert eval(code, names) == eval(comment), line
                told += 1
            else:
                exec(code, names)
    assert told == 5
