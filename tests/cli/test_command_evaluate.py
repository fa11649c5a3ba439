"""`vitral evaluate` through the real program and in this process."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import vitral

Run = Callable[..., Any]
TEXT = "El perro que persiguió al gato cruzó la calle. La niña leía un libro en el jardín. " * 30


@pytest.fixture
def book(tmp_path: Path) -> str:
    path = tmp_path / "libro.txt"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


def test_a_decoder(process: Run, book: str) -> None:
    outcome = process("evaluate", "vitral-es-gpt", book, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    expected = vitral.load("vitral-es-gpt").evaluate(TEXT)
    assert found["nats"] == pytest.approx(expected.nats, rel=1e-4)
    assert found["perplexity"] == pytest.approx(math.exp(found["nats"]))
    assert found["num_bytes"] == len(TEXT.encode())
    assert found["bits_per_byte"] == pytest.approx(
        found["nats"] * found["num_tokens"] / math.log(2) / found["num_bytes"]
    )


def test_an_encoder(command: Run, book: str) -> None:
    found = json.loads(command("evaluate", "vitral-es-bert", book, "--json").out)
    assert 0 < found["accuracy"] < 1
    assert 0.1 < found["num_masked"] / len(vitral.load("vitral-es-bert").tokens(TEXT)) < 0.2
    other = json.loads(command("evaluate", "vitral-es-bert", book, "--seed", "1", "--json").out)
    assert other["nats"] != found["nats"]


def test_the_table_says_what_is_better(command: Run, book: str) -> None:
    outcome = command("evaluate", "vitral-es-gpt", book)
    for words in ("bits per byte", "perplexity per word", "standard error", "lower is better"):
        assert words in " ".join(outcome.out.split())


def test_a_model_of_transformers(command: Run, book: str, llama_folder: Path) -> None:
    found = json.loads(command("evaluate", str(llama_folder), book, "--json").out)
    assert found["bits_per_byte"] > 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["vitral-es-gpt", "no-such-file.txt"], ["no-such-file.txt"]),
        (["no-such-model", "BOOK"], ["no-such-model"]),
        (["vitral-es-bert", "BOOK", "--mask-share", "1.5"], ["mask_share", "1.5"]),
        (["vitral-es-gpt"], ["FILE"]),
    ],
)
def test_a_mistake_is_one_line(
    command: Run, book: str, arguments: list[str], words: list[str]
) -> None:
    outcome = command("evaluate", *(book if each == "BOOK" else each for each in arguments))
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    for word in words:
        assert word in outcome.err


def test_an_empty_file(command: Run, tmp_path: Path) -> None:
    (tmp_path / "vacío.txt").write_text(" \n")
    outcome = command("evaluate", "vitral-es-gpt", str(tmp_path / "vacío.txt"))
    assert outcome.code == 2
    assert "empty" in outcome.err
