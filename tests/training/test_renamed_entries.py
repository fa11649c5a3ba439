"""Recipes, settings and run folders of earlier versions keep their old names of entries."""

from pathlib import Path

import pytest

from training import small_runs
from vitral import VitralError
from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.studio.rooms.train.filled_in import filled_in
from vitral.training.recipes.mistakes import RecipeError
from vitral.training.recipes.recipe_changes import changes
from vitral.training.recipes.recipe_file import Setting, read_recipe, with_settings, write_recipe

OLD, NEW = "company_vectors", "co_occurrence_vectors"


@pytest.fixture
def recipe_path(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    write_recipe(small_runs.recipe("bert", **{NEW: False}), path)
    path.write_text(path.read_text(encoding="utf-8").replace(NEW, OLD), encoding="utf-8")
    assert OLD in path.read_text(encoding="utf-8")
    return path


def test_the_old_name_is_read_and_the_new_one_written(recipe_path: Path, tmp_path: Path) -> None:
    recipe = read_recipe(recipe_path)
    assert not recipe.co_occurrence_vectors
    write_recipe(recipe, tmp_path / "new.yaml")
    text = (tmp_path / "new.yaml").read_text(encoding="utf-8")
    assert (NEW in text, OLD in text) == (True, False)


def test_a_setting_may_have_the_old_name(recipe_path: Path) -> None:
    for name in (OLD, NEW):
        settings = [Setting.read(f"{name}=true")]
        assert read_recipe(recipe_path, settings).co_occurrence_vectors
        assert with_settings(small_runs.recipe("bert", **{NEW: False}), settings)


def test_a_mistake_under_the_old_name_has_its_line(recipe_path: Path) -> None:
    text = recipe_path.read_text(encoding="utf-8").replace(f"{OLD}: false", f"{OLD}: maybe")
    line = 1 + text[: text.index(OLD)].count("\n")
    recipe_path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=rf"{NEW} \(line {line}\)"):
        read_recipe(recipe_path)


def test_both_names_at_once_are_a_mistake(recipe_path: Path) -> None:
    with recipe_path.open("a", encoding="utf-8") as file:
        file.write(f"{NEW}: true\n")
    with pytest.raises(RecipeError, match=OLD):
        read_recipe(recipe_path)


def test_a_form_of_an_earlier_studio_may_have_it(tmp_path: Path) -> None:
    settings = {"name": "x", "model.form": "gpt2", "steps": 3, OLD: False}
    assert not filled_in(settings, ModelCatalog([])).co_occurrence_vectors


def test_a_run_with_the_old_name_resumes(tmp_path: Path) -> None:
    made = small_runs.recipe("gpt2", **{NEW: False})
    saved = made.model_dump(mode="json")
    saved[OLD] = saved.pop(NEW)
    assert changes(saved, made) == []
    with pytest.raises(VitralError, match=NEW):
        changes(saved | {OLD: True}, made)
