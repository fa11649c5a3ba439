"""`vitral heads`: its table, what it sorts and filters, and the treebank's table."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import vitral
from explain.small_treebank import many
from vitral.cli.head_filter import HeadFilter
from vitral.errors import VitralError

Run = Callable[..., Any]
TEXT = "El perro que persiguió al gato cruzó la calle."


def test_every_head_has_a_line_and_a_sentence(command: Run, bert_folder: Path) -> None:
    outcome = command("heads", TEXT, "--model", str(bert_folder))
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert "12 heads" in lines[0]
    assert [line.split()[0] for line in lines[2:14]] == [
        f"{layer}.{head}" for layer in range(3) for head in range(4)
    ]
    assert all(len(line) <= 80 for line in lines)


def test_json_has_every_measure(command: Run, bert_folder: Path) -> None:
    outcome = command("heads", TEXT, "--model", str(bert_folder), "--json")
    document = json.loads(outcome.out)
    table = vitral.measures(vitral.load(str(bert_folder)).trace(TEXT))
    assert [each["name"] for each in document["measures"]] == list(table)
    assert len(document["heads"]) == 12
    sixth = document["heads"][5]
    assert (sixth["layer"], sixth["head"]) == (1, 1)
    assert sixth["entropy"] == pytest.approx(float(table["entropy"][1, 1]))
    assert sixth["induction"] is not None, "measured on a repeated sequence of random tokens"


def test_sorted_filtered_and_cut(command: Run, bert_folder: Path) -> None:
    everything = command("heads", TEXT, "--model", str(bert_folder), "--csv")
    rows = list(csv.DictReader(io.StringIO(everything.out)))
    middle = sorted(float(row["entropy"]) for row in rows)[6]
    outcome = command(
        "heads", TEXT, "--model", str(bert_folder), "--csv", "--sort=-entropy",
        "--filter", f"entropy >= {middle - 2e-6:.9f}", "--filter", "distance > 0", "--top", "3",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    found = [float(row["entropy"]) for row in csv.DictReader(io.StringIO(outcome.out))]
    expected = sorted(value for value in (float(row["entropy"]) for row in rows) if value >= middle)
    assert found == expected[:3]
    layer = command("heads", TEXT, "--model", str(bert_folder), "--csv", "--layer", "2")
    assert {row["layer"] for row in csv.DictReader(io.StringIO(layer.out))} == {"2"}
    none = command("heads", TEXT, "--model", str(bert_folder), "--filter", "first > 100 %")
    assert "No head meets" in none.out


@pytest.mark.parametrize(
    ("written", "value", "kept"),
    [("previous > 0.5", 0.6, True), ("previous<=50%", 0.6, False), ("previous >= 0,6", 0.6, True)],
)
def test_filters(written: str, value: float, kept: bool) -> None:
    condition = HeadFilter.read(written)
    assert condition.keeps({"previous": value}) == kept
    assert not condition.keeps({"previous": float("nan")})


@pytest.mark.parametrize("written", ["previous", "previous = 3", "previous > x", "> 3", ""])
def test_what_is_no_filter(written: str) -> None:
    with pytest.raises(VitralError, match="not a condition"):
        HeadFilter.read(written)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sort", "beauty"), "There is no measure"),
        (("--filter", "beauty > 1"), "There is no measure"),
        (("--layer", "9"), "9"),
        (("--top", "0"), "--top"),
        (("--sentences", "3"), "--treebank"),
        (("--json", "--csv"), "--csv"),
        (("--treebank", "x.conllu"), "--treebank"),
    ],
)
def test_mistakes_are_one_clear_line(
    command: Run, bert_folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    outcome = command("heads", TEXT, "--model", str(bert_folder), *arguments)
    assert outcome.code == 2
    assert said in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_treebank_gives_its_table_and_files(
    command: Run, tmp_path: Path, bert_folder: Path
) -> None:
    path = tmp_path / "bosque.conllu"
    path.write_text(many(60), encoding="utf-8")
    table, picture = tmp_path / "table.md", tmp_path / "table.svg"
    arguments = ("heads", "--treebank", str(path), "--model", str(bert_folder))
    saved = command(*arguments, "--save", str(table), "--save", str(picture), "--sentences", "50")
    assert (saved.code, saved.err) == (0, "")
    assert "det" in saved.out
    assert "The first 50 sentences of 60" in " ".join(saved.out.split())
    assert all(len(line) <= 80 for line in saved.out.splitlines() if "Saved" not in line)
    assert "| det | → governor |" in table.read_text(encoding="utf-8")
    assert picture.read_text(encoding="utf-8").startswith("<?xml")
    again = command(*arguments, "--save", str(table))
    assert again.code == 2
    assert "--overwrite" in again.err
    whole = json.loads(command(*arguments, "--json", "--sentences", "0").out)
    assert whole["num_sentences"] == 60
    wrong = command(*arguments, "--save", str(tmp_path / "table.xlsx"))
    assert (wrong.code, ".csv" in wrong.err) == (2, True)
