"""`vitral plot` through the real program: files are what they say, mistakes get one line."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
SENTENCE = "El perro cruzó la calle."


def refused(outcome: Any, *words: str) -> None:
    """Exit code 2, nothing on stdout, one line on stderr that holds all of `words`."""
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    assert outcome.err.startswith("vitral: ")
    assert outcome.err.count("\n") == 1
    for word in words:
        assert word in outcome.err


def test_a_picture_of_each_kind(process: Run, bert_folder: Path, tmp_path: Path) -> None:
    model = ("--model", str(bert_folder))
    heat = process("plot", SENTENCE, *model, "--layer", "1", "--save", "map.svg")
    assert heat.code == 0, heat
    assert re.fullmatch(r"Saved to map\.svg \(\d+ kB\)\n", heat.out)
    assert heat.err == ""
    drawing = (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert ">cruzó<" in drawing or ">cru" in drawing, "words stay words"
    assert "layer 1 · head 0" in drawing
    lines = process("plot", SENTENCE, *model, "--kind", "lines", "--save", "lines.pdf", "--dark")
    assert lines.code == 0, lines
    assert (tmp_path / "lines.pdf").read_bytes().startswith(b"%PDF-")


def test_a_png_has_the_width_asked_for(command: Run, bert_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "grid.png"
    options = ("--model", str(bert_folder), "--kind", "grid", "--width", "page")
    assert command("plot", SENTENCE, *options, "--save", str(path)).code == 0
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert int.from_bytes(content[16:20]) == pytest.approx(178 / 25.4 * 300, abs=1)


def test_a_page_of_a_saved_trace(
    command: Run, bert_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    saved = command("trace", SENTENCE, "--model", str(bert_folder), "--save", "saved.vitral")
    assert saved.code == 0, saved
    make = ("plot", "--open", "saved.vitral", "--save", "page.html")
    page = command(*make, "--token", "2")
    assert page.code == 0, page
    content = Path("page.html").read_text(encoding="utf-8")
    assert SENTENCE in content
    assert '"opens":"?token=2"' in content
    refused(command(*make), "page.html", "--overwrite")
    assert command(*make, "--overwrite").code == 0
    assert '"opens":""' in Path("page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), ["--save FILE.png"]),
        (("--save", "x.gif"), ["x.gif", ".png, .svg, .pdf, .html"]),
        (("--save", "x"), ["x", ".png"]),
        (("--save", "x.png", "--kind", "page"), ["page", "x.png", ".html"]),
        (("--save", "x.html", "--kind", "lines"), ["lines", "x.html", ".svg"]),
        (("--save", "x.png", "--kind", "pie"), ["pie", "heat, lines, grid, page"]),
        (("--save", "x.html", "--width", "page"), ["--width", "page"]),
        (("--save", "x.png", "--most-megabytes", "9"), ["--most-megabytes", "heat"]),
        (("--save", "x.png", "--kind", "grid", "--layer", "1"), ["layer", "grid"]),
        (("--save", "x.png", "--token", "1"), ["token", "heat"]),
        (("--save", "x.png", "--layer", "9"), ["layer 9"]),
        (("--save", "x.html", "--head", "9"), ["head 9"]),
        (("--save", "x.png", "--rows", "3:99"), ["--rows", "3:99"]),
        (("--save", "x.png", "--width", "huge"), ["huge", "column, page, slide"]),
        (("--save", "x.png", "--width", "3"), ["cannot be 3 wide"]),
        (("--save", "x.png", "--scale", "jet"), ["jet", "course, glass"]),
        (("--save", "x.html", "--part", "cross"), ["cross"]),
        (("--save", "x.html", "--most-megabytes", "0.001"), ["0.001", "Shorten the text"]),
        (("--save", "nowhere/x.png"), ["nowhere/x.png"]),
    ],
)
def test_mistakes(
    command: Run,
    bert_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(command("plot", SENTENCE, "--model", str(bert_folder), *options), *words)
    assert list(tmp_path.iterdir()) == []


def test_mistakes_in_spanish(process: Run, bert_folder: Path) -> None:
    outcome = process("plot", SENTENCE, VITRAL_LANGUAGE="es")
    refused(outcome, "--save ARCHIVO.png")


def test_a_text_is_treated_as_by_the_other_commands(
    command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(command("plot", " ", "--save", "x.svg"), "empty")
    refused(command("plot", "a", "--file", "b", "--save", "x.svg"), "--file")
    refused(command("plot", "a", "--open", "b", "--save", "x.svg"), "--open")
    assert list(tmp_path.iterdir()) == []


def test_letters_that_no_font_has_are_said(process: Run, bert_folder: Path) -> None:
    options = ("--model", str(bert_folder), "--title", "\U00016b90", "--save", "x.png")
    outcome = process("plot", SENTENCE, *options)
    assert outcome.code == 0
    assert outcome.err.count("\n") == 1
    assert "\U00016b90" in outcome.err


def test_without_matplotlib_the_way_to_get_it_is_said(
    command: Run, bert_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    path = str(tmp_path / "x.png")
    outcome = command("plot", SENTENCE, "--model", str(bert_folder), "--save", path)
    refused(outcome, 'pip install "vitral[plot]"')
    page = str(tmp_path / "x.html")
    assert command("plot", SENTENCE, "--model", str(bert_folder), "--save", page).code == 0
