"""`vitral ablate`: a table in 80 columns, JSON, and mistakes in one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TEXT = "El perro que persiguió al gato cruzó la calle."
Command = Callable[..., Any]


def test_the_table_is_ranked_and_fits(command: Command, bert_folder: Path) -> None:
    shown = command("ablate", TEXT, "--model", str(bert_folder), "--top", "5")
    lines = shown.out.splitlines()
    assert (shown.code, shown.err) == (0, "")
    assert max(map(len, lines)) <= 80
    assert "3 layers × 4 heads" in lines[0]
    heading = next(index for index, line in enumerate(lines) if line.startswith("Layer"))
    changes = [float(line.split()[2]) for line in lines[heading + 1 : heading + 6]]
    assert changes == sorted(changes, reverse=True)
    assert lines[heading + 6].startswith("7 of the 12 heads are not shown")


@pytest.mark.parametrize("mode", ["zero", "uniform"])
def test_json_has_every_head_once(command: Command, llama_folder: Path, mode: str) -> None:
    shown = command("ablate", TEXT, "--model", str(llama_folder), "--json", "--mode", mode)
    document = json.loads(shown.out)
    heads = {(each["layer"], each["head"]) for each in document["heads"]}
    assert heads == {(layer, head) for layer in range(2) for head in range(4)}
    assert document["mode"] == mode
    assert document["loss"] > 0


@pytest.mark.parametrize(
    "options",
    [("--mode", "mean"), ("--top", "0"), ("--file", "nowhere.txt"), ("--model", "nobody")],
)
def test_mistakes_take_one_line(
    command: Command, bert_folder: Path, options: tuple[str, str]
) -> None:
    model = () if "--model" in options else ("--model", str(bert_folder))
    text = () if "--file" in options else (TEXT,)
    shown = command("ablate", *text, *model, *options)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.count("\n") == 1


def test_it_speaks_spanish(
    command: Command, llama_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRAL_LANGUAGE", "es")
    shown = command("ablate", TEXT, "--model", str(llama_folder))
    assert "Cada cabeza se silencia por separado" in shown.out
