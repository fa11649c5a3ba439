"""The commands on recurrent models and on the original Transformer: they work, or say why not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import vitral
from models.sequence_models import TRANSLATORS, language_model, tokenizer_of_letters
from vitral.models import hugging_face

Run = Callable[..., Any]


def folder_of(name: str, tmp_path: Path) -> str:
    model = language_model() if name == "language-model" else TRANSLATORS[name]()
    hugging_face.write(model, tokenizer_of_letters(), tmp_path / name)
    return str(tmp_path / name)


@pytest.mark.parametrize("name", [*TRANSLATORS, "language-model"])
def test_all_of_them_write(name: str, tmp_path: Path, command: Run) -> None:
    folder = folder_of(name, tmp_path)
    for options in ([], ["--beams", "2"]):
        outcome = command(
            "generate", "gatos 12", "--model", folder, "--max-new-tokens", "4", *options
        )
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out.startswith("gatos 12") is (name == "language-model")


@pytest.mark.parametrize("name", ["additive", "general"])
def test_an_alignment_is_drawn_measured_and_kept(name: str, tmp_path: Path, command: Run) -> None:
    folder = folder_of(name, tmp_path)
    outcome = command("heads", "gatos 12", "--model", folder)
    assert outcome.code == 0
    assert "1 heads" in outcome.out
    picture, trace = tmp_path / "alignment.svg", tmp_path / "one.vitral"
    assert command("plot", "gatos 12", "--model", folder, "--save", str(picture)).code == 0
    assert picture.stat().st_size > 1000
    outcome = command("trace", "gatos 12", "--model", folder)
    assert outcome.code == 2
    assert "vitral plot" in outcome.err
    assert command("trace", "gatos 12", "--model", folder, "--save", str(trace)).code == 0
    opened = vitral.open_trace(trace)
    assert len(opened["decoder.layers.0.cross_attention.pattern"][0]) == len(opened.decoder_tokens)


@pytest.mark.parametrize("verb", ["trace", "heads"])
@pytest.mark.parametrize("name", ["none", "language-model"])
def test_where_nothing_looks_that_is_said_in_a_line(
    name: str, verb: str, tmp_path: Path, command: Run
) -> None:
    outcome = command(verb, "gatos 12", "--model", folder_of(name, tmp_path))
    assert (outcome.code, outcome.out) == (2, "")
    assert "has no attention" in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_language_model_is_evaluated(tmp_path: Path, command: Run) -> None:
    text = tmp_path / "libro.txt"
    text.write_text("el gato duerme. la niña lee doce libros en el jardín.\n" * 3)
    outcome = command("evaluate", folder_of("language-model", tmp_path), str(text), "--json")
    assert outcome.code == 0
    found = json.loads(outcome.out)
    assert 30 < found["perplexity"] < 80  # of fifty letters, before it has learned anything


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("transformer", 0, "all 6 patterns"),
        ("general", 0, "all 1 patterns"),
        ("additive", 0, "nothing to compare"),
        ("language-model", 2, "has no attention"),
    ],
)
def test_what_can_be_verified_is(
    name: str, code: int, said: str, tmp_path: Path, command: Run
) -> None:
    outcome = command("verify", folder_of(name, tmp_path), "--text", "gatos 12")
    assert outcome.code == code
    assert said in outcome.out + outcome.err


@pytest.mark.parametrize("name", ["additive", "general", "language-model"])
def test_what_cannot_be_ablated_says_so(name: str, tmp_path: Path, command: Run) -> None:
    outcome = command("ablate", "gatos 12", "--model", folder_of(name, tmp_path))
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
