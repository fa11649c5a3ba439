"""The examples of docs/heads.md run, in order, on a small model; it lists every measure."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import vitral
from explain.small_treebank import many
from vitral.cli.program import run
from vitral.explain import MEASURES

PAGE = (Path(__file__).parents[2] / "docs" / "heads.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "es_gsd-ud-dev.conllu").write_text(many(60), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VITRAL_LANGUAGE", "en")
    return tmp_path


def test_python_examples(desk: Path, bert_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: Callable[[Any], Any] = vitral.load
    monkeypatch.setattr(vitral, "load", lambda name: opened(str(bert_folder)), raising=False)
    names: dict[str, Any] = {}
    for block in blocks("python"):
        exec(block, names)
    assert names["shares"].total == pytest.approx(names["shares"].logit, abs=1e-3)
    assert (desk / "table.csv").exists()


def test_commands(desk: Path, bert_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    assert len(lines) == 5
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "vitral"
        assert run([*arguments, "--model", str(bert_folder)]) == 0, capsys.readouterr().err
    assert (desk / "figure.svg").exists()


def test_every_measure_is_described() -> None:
    section = PAGE.split("## The measures")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert listed == list(MEASURES)


def test_the_card_gets_its_section_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    from treebank import BEFORE, CARDS, HEADINGS, put

    from vitral.models.catalog import bundled_folder

    for language, name in CARDS.items():
        card = (bundled_folder("vitral-es-bert") / name).read_text(encoding="utf-8")
        first = put(card, language, f"{HEADINGS[language]}\n\nprimero\n\n")
        second = put(first, language, f"{HEADINGS[language]}\n\nsegundo\n\n")
        assert second == first.replace("primero\n", "segundo\n")
        assert second.count(HEADINGS[language]) == 1
        assert second.index("segundo") < second.index(BEFORE[language])
