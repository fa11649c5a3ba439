"""`vitral trace foto.png --model FOLDER` shows what a token attends to, patch by patch."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vitral

Run = Callable[..., Any]


def test_the_grid_shows_percent_of_every_patch(
    command: Run, vit_folder: Path, picture_file: Path
) -> None:
    asked = ("--model", str(vit_folder), "--layer", "1", "--head", "2")
    outcome = command("trace", str(picture_file), *asked)
    assert (outcome.code, outcome.err) == (0, "")
    assert "What [CLS] attends to in foto.png" in outcome.out
    row = vitral.load(vit_folder).trace(picture_file).attention(1, 2)[0]
    lines = outcome.out.splitlines()[4:8]
    shown = [re.findall(r"\d+|·", line)[1:] for line in lines]
    expected = [str(round(100 * float(w))) if round(100 * float(w)) else "·" for w in row[1:]]
    assert [each for line in shown for each in line] == expected
    assert f"[CLS] {100 * float(row[0]):.1f} %" in outcome.out


@pytest.mark.parametrize("token", ["1,2", "7"])
def test_a_patch_is_asked_for_by_row_and_column_or_number(
    command: Run, vit_folder: Path, picture_file: Path, token: str
) -> None:
    outcome = command("trace", str(picture_file), "--model", str(vit_folder), "--token", token)
    assert outcome.code == 0
    assert "What row 1, column 2 attends to" in outcome.out
    line = next(line for line in outcome.out.splitlines() if line.startswith("1 "))
    assert re.findall(r"\[[\d·]+\]|\d+|·", line)[3].startswith("[")


def test_words_are_the_readers(
    command: Run, vit_folder: Path, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRAL_LANGUAGE", "es")
    outcome = command("trace", str(picture_file), "--model", str(vit_folder), "--token", "1,2")
    assert "A qué atiende fila 1, columna 2 en foto.png" in outcome.out


def test_json_gives_patches_and_the_picture(
    process: Run, vit_folder: Path, picture_file: Path
) -> None:
    outcome = process("trace", str(picture_file), "--model", str(vit_folder), "--json")
    assert (outcome.code, outcome.err) == (0, "")
    document = json.loads(outcome.out)
    assert document["surface"]["rows"] == 4
    assert document["tokens"][0] == {"text": "[CLS]", "start": None, "end": None}
    assert document["tokens"][7]["patch"]["row"] == 1
    expected = vitral.load(vit_folder).trace(picture_file).attention(0, 0).numpy()
    np.testing.assert_allclose(document["pattern"], expected, atol=1e-6)


def test_a_table_a_saved_trace_and_what_is_piped_in(
    command: Run, process: Run, vit_folder: Path, picture_file: Path, tmp_path: Path
) -> None:
    saved = tmp_path / "foto.vitral"
    asked = ("--model", str(vit_folder), "--rows", "0:3", "--save", str(saved))
    outcome = command("trace", str(picture_file), *asked)
    assert outcome.code == 0
    assert "2 0,1" in outcome.out
    assert "What [CLS] attends to" in command("trace", "--open", str(saved)).out
    content = picture_file.read_bytes()
    piped = process("trace", "--file", "-", "--model", str(vit_folder), stdin=content)
    assert (piped.code, piped.err) == (0, "")


def test_heads_and_plots_work_on_pictures(
    command: Run, vit_folder: Path, picture_file: Path, tmp_path: Path
) -> None:
    outcome = command("heads", str(picture_file), "--model", str(vit_folder), "--json")
    names = json.loads(outcome.out)["measures"]
    assert "entropy" in str(names)
    assert "previous" not in str(names)
    image = tmp_path / "head.png"
    assert (
        command("plot", str(picture_file), "--model", str(vit_folder), "--save", str(image)).code
        == 0
    )
    assert image.read_bytes().startswith(b"\x89PNG")
    assert command("verify", str(vit_folder)).code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("trace", "El gato duerme.", "--model", "VIT"), "There is no file"),
        (("trace", "PICTURE"), "reads text, not pictures"),
        (("trace", "PICTURE", "--model", "BERT"), "reads text, not pictures"),
        (("trace", "--file", "PICTURE", "--model", "BERT"), "reads text, not pictures"),
        (("trace", "CUT", "--model", "VIT"), "cut short or damaged"),
        (("trace", "PICTURE", "--model", "VIT", "--token", "9,9"), "4 rows and 4 columns"),
        (("trace", "PICTURE", "--model", "VIT", "--token", "1,1", "--json"), "--token"),
        (("trace", "El gato duerme.", "--model", "BERT", "--token", "1,1"), "patches of a picture"),
        (
            ("heads", "PICTURE", "--model", "VIT", "--sort", "previous"),
            "means nothing on a picture",
        ),
        (("tokens", "El gato duerme.", "--model", "VIT"), "reads pictures, not text"),
        (("ablate", "El gato duerme.", "--model", "VIT"), "predicts no words"),
    ],
)
def test_what_is_wrong_is_one_line(
    command: Run,
    vit_folder: Path,
    bert_folder: Path,
    picture_file: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    (tmp_path / "cortada.png").write_bytes(picture_file.read_bytes()[:200])
    named = {
        "VIT": str(vit_folder),
        "BERT": str(bert_folder),
        "PICTURE": str(picture_file),
        "CUT": str(tmp_path / "cortada.png"),
    }
    outcome = command(*(named.get(each, each) for each in arguments))
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert len(outcome.err.splitlines()) == 1
