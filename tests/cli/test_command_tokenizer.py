"""`vitral tokenizer train` and `compare`, and `vitral tokens` on what they leave."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
TEXT = "El perro que persiguió al gato cruzó la calle. La niña leía un libro en el jardín.\n\n"


@pytest.fixture
def books(tmp_path: Path) -> Path:
    folder = tmp_path / "libros"
    folder.mkdir()
    for number in range(4):
        text = TEXT * 20 + f"¿Quién leyó el libro número {number}?\n\n"
        (folder / f"libro-{number}.txt").write_text(text, encoding="utf-8")
    return folder


def test_train_as_a_user_does(process: Run, books: Path, tmp_path: Path) -> None:
    out = tmp_path / "mi-tokenizador"
    outcome = process("tokenizer", "train", str(books), "--out", str(out), "--vocab-size", "300")
    assert (outcome.code, outcome.err) == (0, "")
    assert "300" in outcome.out
    assert str(out) in outcome.out
    cut = json.loads(process("tokens", "La niña leía.", "--model", str(out), "--json").out)
    assert cut["model"] == "mi-tokenizador"
    assert "".join(token["text"] for token in cut["tokens"][1:]) == "La niña leía."


def test_another_tokenizer_is_left_alone(command: Run, books: Path, tmp_path: Path) -> None:
    arguments = ("tokenizer", "train", str(books), "--out", str(tmp_path / "t"), "--kind")
    assert command(*arguments, "byte").code == 0
    outcome = command(*arguments, "character")
    assert (outcome.code, "--overwrite" in outcome.err) == (2, True)
    assert command(*arguments, "character", "--overwrite").code == 0
    assert json.loads((tmp_path / "t" / "tokenizer.json").read_text())["model"]["type"] == (
        "WordLevel"
    )


def test_compare(command: Run, books: Path, tmp_path: Path) -> None:
    command("tokenizer", "train", str(books), "--out", str(tmp_path / "t"), "--kind", "byte")
    names = ["byte", str(tmp_path / "t"), str(tmp_path / "t" / "tokenizer.json"), "word"]
    outcome = command(
        "tokenizer", "compare", str(books), "--tokenizers", *names, "vitral-es-gpt", "--json"
    )
    found = json.loads(outcome.out)
    assert list(found) == [*names, "vitral-es-gpt"]
    timeless = [{**found[name], "tokens_per_second": 0} for name in names[:3]]
    assert timeless[0] == timeless[1] == timeless[2]
    assert timeless[0]["bytes_per_token"] == 1
    assert found["word"]["vocab_size"] < 60  # as many as the text gives
    assert found["word"]["tokens_per_word"] < found["vitral-es-gpt"]["tokens_per_word"] < 3


def test_the_table_says_what_its_columns_mean(
    command: Run, books: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = command("tokenizer", "compare", str(books), "--tokenizers", "byte", "bpe")
    assert outcome.code == 0
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert "…" not in outcome.out
    words = " ".join(outcome.out.split())
    for part in ("257", "100.0 %", "held-out words", "exact line"):
        assert part in words
    monkeypatch.setenv("VITRAL_LANGUAGE", "es")
    outcome = command("tokenizer", "compare", str(books), "--tokenizers", "vitral-es-bert")
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert "…" not in outcome.out
    assert "palabras de validación" in " ".join(outcome.out.split())


def test_without_a_word_more_it_lists_its_commands(command: Run) -> None:
    outcome = command("tokenizer")
    assert outcome.code == 0
    for word in ("train", "compare"):
        assert word in outcome.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], ["trian", "train, compare"]),
        (["train", "--out", "OUT"], ["files or folders"]),
        (["train", "BOOKS"], ["--out"]),
        (["train", "BOOKS", "--out", "OUT", "--vocab-size", "9999"], ["9,999", "at most"]),
        (["train", "BOOKS", "--out", "OUT", "--vocab-size", "9"], ["at least 257"]),
        (["train", "BOOKS", "--out", "OUT", "--kind", "bep"], ["bep", "byte_bpe"]),
        (["train", "BOOKS", "--out", "OUT", "--cleaning", "none"], ["none", "plain"]),
        (["train", "no-such-file", "--out", "OUT"], ["no-such-file"]),
        (["compare", "BOOKS", "--held-out", "1.5"], ["--held-out", "1.5"]),
        (["compare", "BOOKS", "--tokenizers", "./nada"], ["./nada", "unigram"]),
        (["compare", "BOOKS", "--tokenizers", "bpe", "--vocab-size", "9999"], ["9,999"]),
    ],
)
def test_mistakes_are_one_line(
    command: Run, books: Path, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    places = {"BOOKS": str(books), "OUT": str(tmp_path / "out")}
    outcome = command("tokenizer", *(places.get(each, each) for each in arguments))
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    for word in words:
        assert word in outcome.err
    assert not (tmp_path / "out").exists()
