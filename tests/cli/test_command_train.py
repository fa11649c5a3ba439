"""`vitral train`: from a text to a model that opens everywhere, and every mistake on the way."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_command_bad_input import refused
from tests.training.small_runs import BOOK, books

import vitral
from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.training.recipes.recipe_file import read_recipe
from vitral.training.runs.run_folder import RunFolder

Run = Callable[..., Any]
RECIPE = """\
name: prueba
model: { form: llama, context: 16, hidden_size: 16, num_layers: 1, num_heads: 2 }
tokenizer: { vocab_size: 300 }
batch: { tokens: 64, lengths: [16] }
steps: 6
evaluate_every: 3
"""


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a text and a recipe."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "libro.txt").write_text(BOOK, encoding="utf-8")
    (tmp_path / "r.yaml").write_text(RECIPE, encoding="utf-8")
    return tmp_path


def test_from_a_text_to_a_model_that_opens(command: Run, book: Path) -> None:
    outcome = command("train", "libro.txt", "--recipe", "r.yaml", "--out", "mi modelo")
    assert (outcome.code, outcome.err) == (0, "")
    assert "step      3" in outcome.out
    assert "step      6   100 %" in outcome.out
    assert "«El perro que" in outcome.out  # a sample, from the held-out text's first words
    model = book / "mi modelo" / "model"
    assert vitral.load(model).generate("El", max_new_tokens=3).startswith("El")
    next_lines = [line for line in outcome.out.splitlines() if line.startswith("  vitral ")]
    assert len(next_lines) == 3
    for line in next_lines:
        _, name, *arguments = shlex.split(line.replace("FILE", "libro.txt"))
        if name == "studio":
            assert arguments == ["--model", "mi modelo/model"]
            assert ModelCatalog([arguments[1]]).default == "model"
        else:
            assert command(name, *arguments).code == 0, line


def test_the_same_command_again_and_a_longer_run(command: Run, book: Path) -> None:
    arguments = ["train", "libro.txt", "--recipe", "r.yaml", "--out", "run"]
    assert command(*arguments).code == 0
    again = command(*arguments)
    assert again.code == 0
    assert "already ended" in again.out
    longer = command("train", "--out", "run", "--steps", "9")
    assert longer.code == 0
    assert "Resuming from step 6." in longer.out
    assert "steps: 6 → 9" in longer.out
    looks = (book / "run" / "curve.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["step"] for line in looks] == [3, 6, 9]
    refused(command("train", "otro.txt", "--out", "run"), "started with", "libro.txt", "otro.txt")
    outcome = command("train", "--out", "run", "--set", "model.num_layers=2")
    refused(outcome, "model.num_layers: 1 → 2", "--out")


def test_starting_from_a_model_that_was_trained(command: Run, book: Path) -> None:
    assert command("train", "libro.txt", "--recipe", "r.yaml", "--out", "first").code == 0
    arguments = ["libro.txt", "--from", "first/model", "--steps", "2", "--out", "second"]
    outcome = command("train", *arguments, "--set", "batch.tokens=64")
    assert outcome.code == 0, outcome.err
    first, second = (vitral.load(book / name / "model") for name in ("first", "second"))
    assert first.tokenizer.to_str() == second.tokenizer.to_str()
    assert first.module.config == second.module.config


def test_lines_are_in_the_readers_language(
    command: Run, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRAL_LANGUAGE", "es")
    outcome = command("train", "libro.txt", "--recipe", "r.yaml", "--set", "sample=El gato")
    assert outcome.code == 0
    assert "Leyendo el texto" in outcome.out
    assert "validación" in outcome.out
    assert "«El gato" in outcome.out
    assert "Listo: 6 pasos" in outcome.out
    assert (book / "runs" / "prueba" / "model" / "config.json").exists()  # without --out


BAD = [
    ([], ["vitral train libro.txt"]),
    (["no.txt"], ["no.txt"]),
    (["empty.txt"], ["empty.txt"]),
    (["spaces.txt"], ["spaces.txt"]),
    (["binary.txt"], ["binary.txt"]),
    (["latin.txt"], ["latin.txt", "UTF-8"]),
    (["emptyfolder"], ["emptyfolder"]),
    (["short.txt", "--set", "tokenizer.kind=byte"], ["17", "window"]),
    (["libro.txt", "--set", "tokenizer.vocab_size=5000"], ["5,000"]),
    (["libro.txt", "--device", "tpu"], ["tpu", "cpu, cuda, mps"]),
    (["libro.txt", "--device", "cuda:99"], ["cuda:99", "--device auto"]),
    (["libro.txt", "--threads", "0"], ["--threads", "0"]),
    (["libro.txt", "--minutes", "-1"], ["--minutes", "-1"]),
    (["libro.txt", "--minutes", "1", "--steps", "3"], ["--minutes", "--steps"]),
    (["libro.txt", "--steps", "3", "--set", "steps=4"], ["steps", "once"]),
    (["libro.txt", "--set", "num_layers"], ["model.num_layers=4"]),
    (["libro.txt", "--parallel", "data"], ["torchrun"]),
    (["libro.txt", "--parallel", "both"], ["--parallel"]),
    (["libro.txt", "--from", "./nowhere"], ["nowhere"]),
    (["libro.txt", "--out", "libro.txt"], ["libro.txt", "is a file"]),
    (["libro.txt", "--out", "."], ["other files"]),
    (["libro.txt", "--out", "/proc/nowhere/x"], ["/proc/nowhere/x", "cannot be written"]),
    (["libro.txt", "--stpes", "3"], ["--stpes", "--steps"]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=lambda value: " ".join(value)[:40])
def test_what_cannot_be_trained(
    command: Run, book: Path, arguments: list[str], words: list[str]
) -> None:
    (book / "empty.txt").write_text("")
    (book / "spaces.txt").write_text(" \n\n \n")
    (book / "binary.txt").write_bytes(bytes(range(256)) * 20)
    (book / "latin.txt").write_bytes(("La niña duerme. " * 20).encode("latin-1"))
    (book / "short.txt").write_text("Hola, mundo.", encoding="utf-8")
    (book / "emptyfolder").mkdir()
    before = sorted(path.name for path in book.iterdir())
    made = [] if "--recipe" in arguments else ["--recipe", "r.yaml"]
    outcome = command("train", *arguments, *(made if arguments else []))
    assert outcome.code == 2, outcome
    assert outcome.err.startswith("vitral: ")
    assert outcome.err.count("\n") == 1
    for word in words:
        assert word in outcome.err
    # A mistake leaves no half-begun run behind, in which the right command would not work.
    left = [path for path in (book / "runs").rglob("*") if path.is_file()]
    assert left == []
    assert [
        name for name in sorted(path.name for path in book.iterdir()) if name != "runs"
    ] == before


def test_wrong_recipes_list_their_mistakes(command: Run, book: Path) -> None:
    (book / "r.yaml").write_text(RECIPE + "step: 3\nbatch.tokens: 4\n", encoding="utf-8")
    outcome = command("train", "libro.txt", "--recipe", "r.yaml", "--set", "seed=x")
    assert outcome.code == 2
    head, *lines = outcome.err.splitlines()
    assert head == "vitral: The recipe r.yaml cannot be used:"
    assert lines == [
        "  step (line 7): unknown; did you mean steps?",
        *[line for line in lines if line.startswith("  batch.tokens (line 8): unknown")],
        '  seed (--set seed=x): expected a whole number ≥ 0 and ≤ 9007199254740991, not "x"',
    ]
    refused(command("train", "libro.txt", "--recipe", "no.yaml"), "no.yaml")


def test_what_the_dial_decides_cannot_be_set_beside_it(command: Run, book: Path) -> None:
    for setting in ("model.form=transformer", "minutes=3"):
        outcome = command("train", "libro.txt", "--minutes", "1", "--set", setting)
        assert outcome.code == 2
        assert setting.partition("=")[0] in outcome.err


def test_what_the_dial_chooses_bends_to_what_is_said(command: Run, book: Path) -> None:
    said = ["model.form=bert", "model.hidden_size=16", "model.num_layers=1", "seed=5"]
    settings = [word for each in said for word in ("--set", each)]
    out = ["--out", "run"]
    assert command("train", "libro.txt", "--minutes", "0.02", *settings, *out).code == 0
    recipe = read_recipe(book / "run" / "recipe.yaml")
    assert (recipe.model.form, recipe.model.hidden_size, recipe.seed) == ("bert", 16, 5)
    assert recipe.tokenizer.kind == "wordpiece"


def test_two_processes_do_not_share_a_folder(command: Run, book: Path) -> None:
    books(book / "libros")
    arguments = ["train", "libros", "--recipe", "r.yaml", "--out", "run"]
    with RunFolder(book / "run").alone():
        refused(command(*arguments), "Another process", "run")
    assert command(*arguments).code == 0


def test_a_disk_that_is_full_while_the_text_is_read(
    command: Run, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any, **named: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vitral.training.preparation.corpus_preparation.TokenFile.write", full)
    outcome = command("train", "libro.txt", "--recipe", "r.yaml", "--out", "run")
    assert outcome.code == 2
    assert "No space left on device" in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (book / "run").exists()


def test_tensorboard_says_when_it_is_missing(
    command: Run, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    outcome = command("train", "libro.txt", "--recipe", "r.yaml", "--tensorboard")
    assert outcome.code == 2
    assert "vitral[train]" in outcome.err
