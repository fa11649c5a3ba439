"""The commands on recurrent models and on the original Transformer: they work, or say why not."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

import vitral
from models.sequence_models import TRANSLATORS, language_model, tokenizer_of_letters
from vitral.cli.pattern_view import print_pattern
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
    outcome = command("trace", "gatos 12", "--model", folder, "--save", str(trace))
    assert outcome.code == 0
    assert outcome.out.startswith(f"{name} · cross · layer 0 (of 0–")
    opened = vitral.open_trace(trace)
    weights = opened["decoder.layers.0.cross_attention.pattern"][0]
    assert len(weights) == len(opened.decoder_tokens)
    assert table(outcome.out) == percent(weights)


def percent(weights: Any) -> list[list[str]]:
    """Each weight as the table writes it."""
    return [[str(round(100 * each)).replace("0", "·") if each < 0.005 else str(round(100 * each))
             for each in row] for row in weights.tolist()]  # fmt: skip


def table(out: str) -> list[list[str]]:
    """The numbers of a table of at most nine columns: the last columns of its lines."""
    lines = re.findall(r"^ *\d+ \S+ ((?: *(?:\d+|·) ?)+)$", out, re.MULTILINE)
    return [line.split() for line in lines]


@pytest.fixture(scope="module")
def translated(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The folder of a Transformer that translates, and a trace of an answer of its own."""
    folder = tmp_path_factory.mktemp("translator")
    hugging_face.write(TRANSLATORS["transformer"](), tokenizer_of_letters(), folder)
    path = folder / "answer.vitral"
    vitral.load(folder).trace_generation("gatos 12", max_new_tokens=5).save(path)
    return str(folder), path


@pytest.mark.parametrize("part", ["encoder", "decoder", "cross"])
def test_each_part_of_an_answer_is_shown(
    part: str, translated: tuple[str, Path], command: Run
) -> None:
    _, path = translated
    opened = vitral.open_trace(path)
    weights = opened.attention(layer=1, head=2, part=part)
    options = ("--part", part, "--layer", "1", "--head", "2")
    outcome = command("trace", "--open", str(path), *options)
    assert f"transformer · {part} · layer 1 (of 0–1) · head 2 (of 0–3)" in outcome.out.replace(
        opened.model, "transformer"
    )
    if part == "cross":  # whose cells all stand in the table
        assert table(outcome.out) == percent(weights)
    document = json.loads(command("trace", "--open", str(path), *options, "--json").out)
    assert document["part"] == part
    assert [each["text"] for each in document["decoder_tokens"]] == [
        each.text for each in opened.decoder_tokens
    ]
    assert torch.allclose(torch.tensor(document["pattern"]), weights)
    assert command("heads", "--open", str(path), "--part", part).code == 0


def test_a_range_of_cross_attention_counts_queries_and_keys_apart(
    translated: tuple[str, Path], command: Run
) -> None:
    path = str(translated[1])
    shown = command("trace", "--open", path, "--part", "cross", "--rows", "1:3", "--columns", ":2")
    assert "rows 1–2 of 6 tokens and columns 0–1 of 9" in " ".join(shown.out.split())
    refused = command("trace", "--open", path, "--part", "cross", "--rows", "0:9")
    assert (refused.code, refused.out) == (2, "")


def test_a_decoder_that_read_only_its_start_token_says_so(
    translated: tuple[str, Path], command: Run
) -> None:
    outcome = command("trace", "gatos 12", "--model", translated[0], "--part", "cross")
    assert (outcome.code, outcome.err) == (0, "")
    assert "vitral generate" in outcome.out
    assert "vitral generate" not in command("trace", "gatos 12", "--model", translated[0]).out


def test_long_cross_attention_becomes_a_map(translated: tuple[str, Path], command: Run) -> None:
    trace = vitral.load(translated[0]).trace("gatos 12 " * 2, decoder_text="perros 7")
    console = Console(record=True, width=40, file=io.StringIO())
    rows, columns = (len(trace.query_tokens("cross")), len(trace.key_tokens("cross")))
    print_pattern(
        console, trace, 0, 0, rows=range(rows), columns=range(columns), max_lines=3, part="cross"
    )
    out = " ".join(console.export_text().split())
    assert f"{rows} tokens look at {columns}: this is the whole map in" in out
    assert f"--rows 0:{min(20, rows)} --columns 0:{min(20, columns)}" in out


@pytest.mark.parametrize(("part", "said"), [("cross", "single part"), ("", None)])
def test_a_part_that_there_is_not_is_named(
    part: str, said: str | None, command: Run, bert_folder: Path
) -> None:
    outcome = command("trace", "El gato", "--model", str(bert_folder), "--part", part)
    assert outcome.code == (2 if said else 0)
    assert said is None or said in outcome.err


def test_an_unknown_part_names_those_that_there_are(
    translated: tuple[str, Path], command: Run
) -> None:
    outcome = command("trace", "--open", str(translated[1]), "--part", "tail")
    assert "encoder, decoder, cross" in outcome.err


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
