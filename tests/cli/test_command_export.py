"""`vitral export`: the file, what is said of it, and mistakes."""

from pathlib import Path

import pytest

from generation.model_folders import llama_folder
from vitral.cli.program import run


def test_a_file_with_its_size(tmp_path: Path, monkeypatch, capsys) -> None:
    folder = llama_folder(tmp_path / "modelo")
    monkeypatch.chdir(tmp_path)
    assert run(["export", str(folder), "--to", "gguf", "--precision", "q8_0"]) == 0
    written = tmp_path / "modelo-q8_0.gguf"
    assert written.read_bytes()[:4] == b"GGUF"
    said = capsys.readouterr().out
    assert "modelo-q8_0.gguf" in said
    assert "f16" in said  # rows of 24 and 30 numbers
    assert run(["export", str(folder), "--precision", "q8_0"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert run(["export", str(folder), "--precision", "q8_0", "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--to", "onnx"], "gguf"),
        (["--precision", "q4_0"], "q8_0"),
        (["--save", "no/such/folder.gguf"], "no/such"),
    ],
)
def test_mistakes_are_one_line(options: list[str], named: str, tmp_path: Path, capsys) -> None:
    folder = llama_folder(tmp_path / "modelo")
    assert run(["export", str(folder), *options]) == 2
    said = capsys.readouterr()
    assert named in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
