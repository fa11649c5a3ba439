"""Whatever goes wrong is one line, and leaves nothing behind that stands in the way."""

import sys
from pathlib import Path

import pytest

from vitral.cli.program import run
from vitral.training.trainer import Trainer

TEXT = "El perro que persiguió al gato cruzó la calle. ¿Qué hará después, si llueve?\n\n" * 60


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "libro.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def failed(capsys: pytest.CaptureFixture[str], *tokens: str) -> str:
    """The one line that a command ends with."""
    assert run(tokens) == 2
    error = capsys.readouterr().err
    assert error.startswith("vitral: ")
    assert error.count("\n") == 1, error
    return error


@pytest.mark.parametrize("value", ["1e-40", "1e40", "nan", "inf", "-1"])
def test_numbers_have_a_range(capsys, value) -> None:
    assert "temperature" in failed(capsys, "generate", "Hola", f"--temperature={value}")


@pytest.mark.parametrize(
    "options",
    [
        ["--max-new-tokens", "99999999999"],
        ["--temperature", "1", "--seed", str(2**70)],
        ["--repetition-penalty", "1e-30"],
        ["--beams", "1000000"],
        ["--beams", "2", "--length-penalty", "inf"],
        ["--stop", ""],
    ],
)
def test_so_have_the_others(capsys, options) -> None:
    failed(capsys, "generate", "Hola", *options)


@pytest.mark.parametrize(
    "options",
    [
        ["trace", "--layer", "-1"],
        ["trace", "--head", "9" * 40],
        ["trace", "--layer", "nan"],
        ["trace", "--rows", "3:2"],
        ["trace", "--rows", "0:999999999"],
        ["heads", "--layer", "99"],
        ["heads", "--top", "0"],
        ["heads", "--filter", "previous > " + "9" * 400],
        ["heads", "--filter", "previous > nan"],
        ["plot", "--save", "a.svg", "--width", "nan"],
        ["plot", "--save", "a.svg", "--width", "1e9"],
        ["plot", "--save", "a.svg", "--kind", "lines", "--token", "99"],
        ["plot", "--save", "a.html", "--most-megabytes", "nan"],
        ["plot", "--save", "a.html", "--most-megabytes", "inf"],
        ["plot", "--save", "a.html", "--most-megabytes=-1"],
        ["ablate", "--top=-3"],
    ],
    ids=" ".join,
)
def test_numbers_of_tracing_and_plots_have_a_range(
    capsys, bert_folder, tmp_path, monkeypatch, options
) -> None:
    monkeypatch.chdir(tmp_path)
    command, *others = options
    failed(capsys, command, "Hola", "--model", str(bert_folder), *others)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "setting",
    [
        "model.hidden_size=1000000000000",
        "model.num_layers=99999",
        "seed=-1",
        "optimizer.rate=1e30",
        "batch.tokens=1e30",
        "evaluate_every=0",
    ],
)
def test_a_recipe_has_them_too(capsys, book, tmp_path, setting) -> None:
    out = tmp_path / "run"
    assert run(["train", str(book), "--steps", "2", "--set", setting, "--out", str(out)]) == 2
    assert setting.partition("=")[0] in capsys.readouterr().err
    assert not out.exists()


def test_minutes_and_steps_have_a_most(capsys, book, tmp_path) -> None:
    for options in (["--minutes", "1e30"], ["--steps", "99999999999999"]):
        failed(capsys, "train", str(book), *options, "--out", str(tmp_path / "run"))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_text(capsys, book, tmp_path) -> None:
    strange = tmp_path / "caf\udce9.txt"
    strange.write_text(TEXT, encoding="utf-8")
    out = str(tmp_path / "run")
    assert "UTF-8" in failed(capsys, "train", str(strange), "--steps", "1", "--out", out)
    assert "UTF-8" in failed(capsys, "train", str(book), "--steps", "1", "--out", out + "\udce9")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("where", ["__init__", "step"])
def test_a_run_that_fails_can_be_asked_for_again(
    capsys, book, tmp_path, monkeypatch, where
) -> None:
    out = tmp_path / "run"
    common = ["train", str(book), "--steps", "2", "--out", str(out)]
    small = ["model.hidden_size=16", "model.num_layers=1", "evaluate_every=2"]
    small = [word for setting in small for word in ("--set", setting)]

    def broken(*args: object, **named: object) -> None:
        raise RuntimeError("a library's\nown words")

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, where, broken)
        line = failed(capsys, *common, *small, "--set", "seed=3")
    assert "RuntimeError: a library's own words" in line
    assert not out.exists()
    assert run([*common, *small, "--set", "seed=4"]) == 0
    assert (out / "model" / "config.json").exists()


def test_a_disk_without_room_for_the_tokenizer(capsys, book, tmp_path, monkeypatch) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vitral.training.preparation.corpus_preparation.write_file", full)
    out = tmp_path / "run"
    assert "No space left" in failed(capsys, "train", str(book), "--steps", "1", "--out", str(out))
    assert not out.exists()


def test_a_vocabulary_that_nobody_asked_for_is_as_large_as_the_text_gives(capsys, tmp_path) -> None:
    book = tmp_path / "letanía.txt"
    book.write_text("Ora pro nobis. " * 4000, encoding="utf-8")
    out = tmp_path / "run"
    common = ["train", str(book), "--steps", "2", "--set", "model.hidden_size=16"]
    common += ["--set", "model.num_layers=1", "--set", "evaluate_every=2", "--out", str(out)]
    failed(capsys, *common, "--set", "tokenizer.vocab_size=2048")
    assert not out.exists()
    assert run(common) == 0
