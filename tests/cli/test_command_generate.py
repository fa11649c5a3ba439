"""`vitral generate` through the real program and in this process."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import vitral

Run = Callable[..., Any]
TEXT = "El perro que persiguió al gato"


def test_a_text_is_written_on(process: Run) -> None:
    outcome = process("generate", TEXT, "--max-new-tokens", "12")
    assert (outcome.code, outcome.err) == (0, "")
    expected = vitral.load("vitral-es-gpt").generate(TEXT, max_new_tokens=12)
    assert outcome.out == expected + "\n"


def test_json_says_what_was_read_and_written(command: Run) -> None:
    options = ["--temperature", "0.9", "--top-p", "0.8", "--top-k", "50", "--min-p", "0.01"]
    options += ["--repetition-penalty", "1.2", "--seed", "4", "--json"]
    outcome = command("generate", TEXT, *options)
    document = json.loads(outcome.out)
    assert document["model"] == "vitral-es-gpt"
    assert document["text"] == TEXT
    assert document["text"] + document["written"] == vitral.load("vitral-es-gpt").generate(
        TEXT,
        temperature=0.9,
        top_p=0.8,
        top_k=50,
        min_p=0.01,
        repetition_penalty=1.2,
        seed=4,
    )
    assert command("generate", TEXT, *options).out == outcome.out


def test_beams_and_stops(command: Run) -> None:
    model = vitral.load("vitral-es-gpt")
    outcome = command("generate", TEXT, "--beams", "3", "--max-new-tokens", "8")
    assert outcome.out == model.generate(TEXT, num_beams=3, max_new_tokens=8) + "\n"
    written = model.generate(TEXT, max_new_tokens=20)[len(TEXT) :]
    stop = written[6:9]
    outcome = command("generate", TEXT, "--stop", "¡nunca!", "--stop", stop)
    assert outcome.out == TEXT + written[: written.find(stop)] + "\n"


def test_a_window_writes_where_the_context_is_full(command: Run) -> None:
    """The context takes 256 tokens; this prompt has more, and the same command refuses it below."""
    text = "El gato duerme en la casa. " * 40
    outcome = command("generate", text, "--window", "--max-new-tokens", "5", "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out)["written"]


def test_the_trace_of_the_writing_is_saved(command: Run, tmp_path: Path) -> None:
    path = tmp_path / "escrito.vitral"
    outcome = command("generate", TEXT, "--max-new-tokens", "6", "--save", str(path))
    trace = vitral.open_trace(path)
    assert outcome.out.startswith(f"{trace.text}\n")
    assert str(path) in outcome.out.replace("\n", "")
    assert trace.text == vitral.load("vitral-es-gpt").generate(TEXT, max_new_tokens=6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([""], ["empty"]),
        ([TEXT, "--model", "vitral-es-bert"], ["vitral-es-bert", "cannot write"]),
        ([TEXT, "--temperature", "-1"], ["temperature", "-1"]),
        ([TEXT, "--temperature", "1", "--top-p", "1.5"], ["--top-p", "1.5"]),
        ([TEXT, "--max-new-tokens", "0"], ["--max-new-tokens", "0"]),
        ([TEXT, "--beams", "0"], ["--beams", "0"]),
        ([TEXT, "--beams", "2", "--window"], ["--beams", "--window"]),
        ([TEXT, "--beams", "2", "--temperature", "1"], ["--beams", "--temperature"]),
        ([TEXT, "--beams", "2", "--seed", "1"], ["--beams", "--seed"]),
        ([TEXT, "--top-k", "4"], ["--top-k", "--temperature > 0"]),
        ([TEXT, "--seed", "4"], ["--seed", "--temperature > 0"]),
        ([TEXT, "--length-penalty", "1"], ["--length-penalty", "--beams"]),
        ([TEXT, "--save", "/tmp/x.vitral", "--window"], ["--save", "--window"]),
        ([TEXT, "--save", "/no/such/folder/x"], ["/no/such/folder/x"]),
        (["gato " * 300], ["256"]),
    ],
)
def test_a_mistake_is_one_line(command: Run, arguments: list[str], words: list[str]) -> None:
    outcome = command("generate", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    for word in words:
        assert word in outcome.err
