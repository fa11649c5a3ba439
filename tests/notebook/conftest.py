"""Traces to show, and a widget whose messages a test reads and writes as a notebook would."""

from pathlib import Path

import pytest
from notebook_line import SENTENCE, Line

import vitral
from vitral.tracing import Trace


@pytest.fixture(scope="session")
def trace(bert_folder: Path) -> Trace:
    """Of the small BERT: 3 layers, 4 heads."""
    return vitral.load(str(bert_folder)).trace(SENTENCE)


@pytest.fixture(autouse=True)
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Stands for the front end's file, so that nothing here needs it to be built."""
    file = tmp_path / "widget.js"
    file.write_text("export default { render() {} };", encoding="utf-8")
    monkeypatch.setattr("vitral.notebook.widget.PROGRAM", file)
    return file


@pytest.fixture
def line(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(trace.show(), monkeypatch)
