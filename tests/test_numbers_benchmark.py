"""The pieces of benchmarks/spanish_numbers.py ask for what was held out and mark it rightly."""

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

from vitral.training.preparation.pair_preparation import is_held_out
from vitral.training.recipes.recipe_file import read_recipe

ROOT = Path(__file__).parents[1]


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("spanish_numbers")


def test_numbers_asked_were_held_out(benchmark: ModuleType) -> None:
    recipe = read_recipe(ROOT / "recipes" / "numeros-bahdanau.yaml")
    for digits in (1, 2, 7, 12):
        asked = benchmark.asked_numbers(digits, 50, recipe)
        assert asked == benchmark.asked_numbers(digits, 50, recipe)
        assert {len(str(number)) for number in asked} == {digits}
        assert all(is_held_out(f"{number:,}".replace(",", "."), recipe) for number in asked)
        assert len(set(asked)) == len(asked) == (50 if digits > 2 else len(asked))
    assert 0 < len(benchmark.asked_numbers(1, 50, recipe)) < 6
    assert 8 < len(benchmark.asked_numbers(2, 90, recipe)) < 30


def test_marks(benchmark: ModuleType) -> None:
    assert benchmark.graded("veintiún mil", 21_000) == "right"
    assert benchmark.graded("veintiún mil uno", 21_000) == "another"
    assert benchmark.graded("veintiuno mil", 21_000) == "none"
    assert benchmark.graded("", 21_000) == "none"


def test_the_figures_are_drawn_from_the_results(
    benchmark: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = json.loads(benchmark.RESULTS.read_text(encoding="utf-8"))
    monkeypatch.setattr(benchmark, "IMAGES", tmp_path)
    for language in ("en", "es"):
        benchmark.draw(document, language)
        benchmark.draw_alignments(document, language)
        drawn = (tmp_path / f"numbers-{language}.svg").read_text(encoding="utf-8")
        for name in document["models"]:
            assert benchmark.WORDS[language][name] in drawn
        assert (tmp_path / f"numbers-alignment-{language}.svg").stat().st_size > 5000


def test_the_page_says_what_the_results_say(benchmark: ModuleType) -> None:
    document = json.loads(benchmark.RESULTS.read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
    for name, found in document["models"].items():
        shares = [
            f"{round(100 * each['right'] / each['asked'], 1):g}"
            for each in found["lengths"].values()
        ]
        row = " | ".join(shares)
        assert f"| {benchmark.WORDS['en'][name]} | {row} |" in page
