"""`--without-resting`, `--words` and `--mean-of`: what is printed is what `Trace.read` gives."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vitral

Run = Callable[..., Any]
SEED = "El perro que persiguió al gato cruzó la calle."


@pytest.mark.parametrize("heads", [None, "0,3", "all"])
def test_json_is_read_as_asked(command: Run, bert_folder: Path, heads: str | None) -> None:
    options = ["--layer", "2", "--json", "--without-resting", "--words"]
    options += [] if heads is None else ["--mean-of", heads]
    outcome = command("trace", SEED, "--model", str(bert_folder), *options)
    assert (outcome.code, outcome.err) == (0, "")
    document = json.loads(outcome.out)
    trace = vitral.load(str(bert_folder)).trace(SEED)
    chosen = {None: None, "0,3": [0, 3], "all": range(4)}[heads]
    read = trace.read(resting=False, words=True, heads=chosen)
    assert document["reading"] == read.reading.name
    assert document["exactness"] == "exact"
    assert [each["text"] for each in document["tokens"]] == [each.text for each in read.tokens]
    np.testing.assert_allclose(document["pattern"], read.attention(2, 0).numpy(), atol=1e-6)


def test_a_table_says_it_and_a_file_keeps_the_trace_itself(
    command: Run, bert_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "read.vitral"
    outcome = command(
        "trace", SEED, "--model", str(bert_folder), "--without-resting", "--save", str(path)
    )
    assert "without resting tokens, the rest scaled" in " ".join(outcome.out.split())
    assert vitral.open_trace(path).reading.is_plain


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--mean-of", "0,x"], "--mean-of"),
        (["--mean-of", "0,99"], "99"),
        (["--mean-of", "0,1", "--head", "2"], "--head"),
    ],
)
def test_mistakes(command: Run, bert_folder: Path, options: list[str], said: str) -> None:
    outcome = command("trace", SEED, "--model", str(bert_folder), *options)
    assert outcome.code == 2
    assert said in outcome.err
    assert len(outcome.err.splitlines()) == 1
