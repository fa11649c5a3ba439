"""`vitral trace` and `vitral tokens`: what they print is what the model computes."""

import json
import re
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import vitral
from vitral.cli.pattern_view import print_pattern

Run = Callable[..., Any]
SEED = "El perro que persiguió al gato cruzó la calle."
WORDS = "La niña lee un libro en el jardín. "


def test_json_is_the_documented_document(process: Run, bert_folder: Path) -> None:
    outcome = process(
        "trace", SEED, "--model", str(bert_folder), "--layer", "2", "--head", "1", "--json"
    )
    assert (outcome.code, outcome.err) == (0, "")
    document = json.loads(outcome.out)
    assert list(document) == ["model", "tokens", "exactness", "layer", "head", "pattern"]
    assert (document["model"], document["layer"], document["head"]) == ("small-bert", 2, 1)
    trace = vitral.load(str(bert_folder)).trace(SEED)
    assert document["tokens"] == [
        {"text": token.text, "start": token.start, "end": token.end} for token in trace.tokens
    ]
    expected = trace.attention(layer=2, head=1).numpy()
    np.testing.assert_allclose(document["pattern"], expected, atol=1e-6)


def test_table_shows_percent_of_every_cell(command: Run, bert_folder: Path) -> None:
    outcome = command("trace", SEED, "--model", str(bert_folder), "--layer", "1", "--head", "3")
    assert (outcome.code, outcome.err) == (0, "")
    assert "layer 1 (of 0–2) · head 3 (of 0–3)" in outcome.out
    weights = vitral.load(str(bert_folder)).trace(SEED).attention(layer=1, head=3)
    lines = outcome.out.splitlines()[4 : 4 + len(weights)]
    for line, row in zip(lines, weights.tolist(), strict=True):
        shown = re.findall(r"(?<=\s)(?:\d+|·)(?=\s|$)", line[line.index(" ", 3) :])
        expected = [str(round(weight * 100)) if round(weight * 100) else "·" for weight in row]
        assert shown[-len(expected) :] == expected


def test_wide_tables_go_on_in_panels_and_lose_no_column(command: Run, llama_folder: Path) -> None:
    text = SEED[:-1] + " y " + WORDS
    outcome = command("trace", text, "--model", str(llama_folder))
    size = len(vitral.load(str(llama_folder)).tokens(text))
    numbers = [
        [int(number) for number in line.split()]
        for line in outcome.out.splitlines()
        if re.fullmatch(r"[\d ]+", line)
    ]
    assert len(numbers) > 1
    assert list(chain.from_iterable(numbers)) == list(range(size))
    assert all(len(line) <= 80 for line in outcome.out.splitlines())


def test_long_texts_become_a_map_that_says_so(command: Run, llama_folder: Path) -> None:
    text = WORDS * 8
    size = len(vitral.load(str(llama_folder)).tokens(text))
    outcome = command("trace", text, "--model", str(llama_folder))
    assert f"{size} tokens" in outcome.out
    assert "the mean of its weights" in " ".join(outcome.out.split())
    assert "--rows 0:20 --columns 0:20" in outcome.out
    part = command(
        "trace", text, "--model", str(llama_folder), "--rows", "40:44", "--columns", ":5"
    )
    assert "rows 40–43 and columns 0–4" in " ".join(part.out.split())
    assert len(re.findall(r"^4[0-3] ", part.out, re.MULTILINE)) == 4


@pytest.mark.parametrize("text", ["El", "El gato", WORDS * 3, WORDS * 10])
@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("color_system", [None, "standard", "256", "truecolor"])
def test_every_terminal_and_every_length(
    llama_folder: Path, text: str, width: int, color_system: Any
) -> None:
    trace = vitral.load(str(llama_folder)).trace(text)
    console = Console(
        record=True, width=width, color_system=color_system, force_terminal=True, quiet=False,
        file=open("/dev/null", "w"),  # noqa: SIM115
    )  # fmt: skip
    size = len(trace.tokens)
    print_pattern(console, trace, 0, 0, rows=range(size), columns=range(size), max_lines=100)
    assert trace.model in console.export_text()
    console.file.close()


def test_colours_only_where_they_are_wanted(
    command: Run, bert_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("trace", "El gato", "--model", str(bert_folder))
    assert "\x1b[" not in command(*arguments).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    assert ";48;2;" in command(*arguments).out
    monkeypatch.setenv("NO_COLOR", "1")
    plain = command(*arguments).out
    assert "38;2;" not in plain
    assert "48;2;" not in plain


def test_terminals_without_unicode_see_something(process: Run, bert_folder: Path) -> None:
    outcome = process("trace", "La niña", "--model", str(bert_folder), PYTHONIOENCODING="ascii")
    assert (outcome.code, outcome.err) == (0, "")
    assert "La" in outcome.out


def test_text_cannot_drive_the_terminal(command: Run, llama_folder: Path) -> None:
    outcome = command("trace", "El \x1b[31mgato\x07\n", "--model", str(llama_folder))
    assert outcome.code == 0
    assert "\x1b" not in outcome.out
    assert "\x07" not in outcome.out


def test_special_tokens_on_and_off(command: Run, bert_folder: Path) -> None:
    def texts(*options: str) -> list[str]:
        arguments = ("trace", "El [SEP] gato", "--model", str(bert_folder), "--json", *options)
        return [each["text"] for each in json.loads(command(*arguments).out)["tokens"]]

    model = vitral.load(str(bert_folder))
    assert texts() == [token.text for token in model.tokens("El [SEP] gato")]
    assert texts()[0] == "[CLS]"
    assert texts().count("[SEP]") == 1
    assert texts("--special-tokens").count("[SEP]") == 2
    assert texts("--no-added-tokens") == texts()[1:-1]
    shown = command("tokens", "El [SEP]", "--model", str(bert_folder), "--json", "--special-tokens")
    assert json.loads(shown.out)["tokens"][-2]["text"] == "[SEP]"


def test_special_tokens_of_a_saved_trace_are_those_it_has(
    command: Run, tmp_path: Path, bert_folder: Path
) -> None:
    path = tmp_path / "trace.safetensors"
    vitral.load(str(bert_folder)).trace("El gato").save(path)
    for option in ("--special-tokens", "--no-added-tokens"):
        outcome = command("trace", "--open", str(path), option)
        assert (outcome.code, outcome.out) == (2, "")
        assert option in outcome.err


def test_saved_trace_opens_and_shows_the_same(
    command: Run, tmp_path: Path, bert_folder: Path
) -> None:
    path = tmp_path / "trace.safetensors"
    options = ("--layer", "2", "--head", "2")
    first = command(
        "trace", SEED, "--model", str(bert_folder), *options, "--save", str(path), "--json"
    )
    assert json.loads(first.out)
    assert first.err == f"Saved to {path}\n"
    opened = command("trace", "--open", str(path), *options, "--json")
    assert json.loads(opened.out) == json.loads(first.out)


def test_text_from_a_file_and_from_a_pipe(
    process: Run, command: Run, tmp_path: Path, bert_folder: Path
) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(b"\xef\xbb\xbfLa ni\xc3\xb1a lee.\r\n")
    model = ("--model", str(bert_folder), "--json")
    written = command("tokens", "La niña lee.", *model)
    assert written.code == 0, written.err
    assert command("tokens", "--file", str(path), *model).out == written.out
    assert process("tokens", "--file", "-", *model, stdin=path.read_bytes()).out == written.out


def test_tokens_as_a_table(command: Run, llama_folder: Path) -> None:
    outcome = command("tokens", "La niña\nlee 🐧.", "--model", str(llama_folder))
    assert outcome.code == 0, outcome.err
    assert "niña" in outcome.out
    assert "Ã" not in outcome.out
    assert "⏎" in outcome.out
    assert "14 characters." in outcome.out


def test_options_may_stand_before_the_text(command: Run, bert_folder: Path) -> None:
    outcome = command("tokens", "--model", str(bert_folder), "--", "--help")
    assert outcome.code == 0
    assert "6 characters" in outcome.out
