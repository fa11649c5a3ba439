"""A lesson as a notebook, a marimo notebook and a page."""

import subprocess
import sys
from pathlib import Path

import pytest

from vitral.cli.program import run

LESSON = "attention_step"


def export(kind: str, file: Path, *more: str) -> str:
    assert run(["lessons", "export", LESSON, "--to", kind, "--out", str(file), *more]) == 0
    return file.read_text(encoding="utf-8")


def test_a_notebook(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="needs vitral[learn]")
    export("notebook", tmp_path / "lesson.ipynb", "--language", "es")
    notebook = nbformat.read(tmp_path / "lesson.ipynb", as_version=4)
    nbformat.validate(notebook)
    text = "\n".join(cell["source"] for cell in notebook.cells)
    assert "**0,731**" in text
    names: dict[str, object] = {}
    for cell in notebook.cells:
        if cell["cell_type"] == "code" and "'head'" not in cell["source"]:
            exec(cell["source"], names)


def test_a_marimo_notebook(tmp_path: Path) -> None:
    pytest.importorskip("marimo", reason="marimo checks what is written for it")
    file = tmp_path / "lesson.py"
    assert "**0.731**" in export("marimo", file, "--language", "en")
    done = subprocess.run(
        [sys.executable, "-m", "marimo", "check", str(file)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_page_that_works_offline(tmp_path: Path) -> None:
    pytest.importorskip("latex2mathml", reason="needs vitral[learn]")
    page = export("page", tmp_path / "lesson.html", "--language", "es")
    assert '<html lang="es">' in page
    assert "<math" in page
    assert "0,7311" in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_another_kind_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["lessons", "export", LESSON, "--to", "pdf"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
