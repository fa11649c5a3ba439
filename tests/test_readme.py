"""What the documentation says is true: links lead somewhere, code runs, commands exist."""

import json
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("*.md")],
)
READMES = ["README.md", "README.es.md"]
LESSONS = ROOT / "src" / "vitral" / "lessons"
ROOMS = ("/?", "/write", "/train", "/learn")
"""How the addresses of Studio's rooms begin."""
FIRST_STEPS = ["docs/first-steps.md", "docs/primeros-pasos.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (page.parent / target).exists()]
    if LESSONS in page.parents or page.name == "lessons.md":  # these link to lessons and to rooms
        missing = [
            target
            for target in missing
            if not target.startswith(ROOMS) and not (LESSONS / target / "lesson.yaml").exists()
        ]
    assert not missing


@pytest.mark.parametrize("name", FIRST_STEPS)
def test_the_example_runs(name: str, tmp_path: Path) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^( *)```python\n(.*?)^ *```", text, flags=re.MULTILINE | re.DOTALL)
    assert blocks
    for _, code in blocks:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("*.vitral"))


@pytest.mark.parametrize("name", FIRST_STEPS)
def test_the_commands_run(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    commands = [c for c in re.findall(r"`(vitral [^`]+)`", text) if c != "vitral studio"]
    assert len(commands) >= 3
    for command in commands:
        arguments = shlex.split(command)[1:]
        done = subprocess.run(
            [sys.executable, "-m", "vitral", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (command, done.stderr)


def test_the_two_commands_stand_at_the_top() -> None:
    for name in READMES:
        head = (ROOT / name).read_text(encoding="utf-8")[:900]
        assert "make run" in head
        assert "make test" in head


@pytest.mark.parametrize("name", READMES)
def test_five_bullets_of_some_fifteen_words(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    bullets = [line for line in lines if line.startswith("- ")]
    assert len(bullets) == 5
    assert all(12 <= len(line[2:].split()) <= 20 for line in bullets)


def measured(name: str, tokens: int) -> dict[str, Any]:
    results = json.loads((ROOT / "benchmarks" / "results" / name).read_text(encoding="utf-8"))
    found: dict[str, Any] = results["sizes"][str(tokens)]
    return found


@pytest.mark.parametrize("name", READMES)
def test_the_figures_are_those_of_the_benchmarks(name: str) -> None:
    short, long = measured("explore.json", 512), measured("explore_long.json", 131072)["vitral"]
    figures = [
        f"{short['vitral']['bytes'] / 1e6:.1f} MB",
        f"{short['vitral']['after_forward_s']:.1f} s",
        f"{short['bertviz']['bytes'] / 1e9:.1f} GB",
        f"{short['bertviz']['opened_s']:.0f} s",
        f"{long['bytes'] / 1e6:.1f} MB",
        f"{long['after_forward_s']:.2f} s",
    ]
    assert "no_picture" in short["bertviz"]
    text = (ROOT / name).read_text(encoding="utf-8").replace("0,4", "0.4").replace("1,7", "1.7")
    text = text.replace("3,1", "3.1").replace("1,25", "1.25")
    assert not [each for each in figures if each not in text]


def test_every_page_is_in_the_menu_and_on_the_first_page() -> None:
    docs = ROOT / "docs"
    pages = {str(page.relative_to(docs)) for page in docs.rglob("*.md")}
    index = (docs / "index.md").read_text(encoding="utf-8")
    menu = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    assert [title for group in menu for title in group] == [
        "Start",
        "Studio",
        "Python",
        "Behind it",
    ]
    groups = [entries for group in menu for entries in group.values()]
    in_menu = [page for entries in groups for entry in entries for page in entry.values()]
    assert sorted(in_menu) == sorted(pages)
    assert set(re.findall(r"\]\(([^)#]+\.md)", index)) == pages - {"index.md"}


@pytest.mark.parametrize("target", ["run", "test", "check"])
def test_make_knows_the_commands(target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_second_example_trains_and_writes(tmp_path: Path) -> None:
    """As it stands there, but for the minutes, and for Studio, which would not end."""
    blocks = [
        re.findall(r"```console\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
        for name in FIRST_STEPS
    ]
    (english,), (spanish,) = ([b for b in found if "vitral train" in b] for found in blocks)
    assert english == spanish
    train, generate, studio = (shlex.split(line)[1:] for line in english.strip().splitlines())
    assert studio[:2] == ["studio", "--model"]
    assert train[-1] == "10"
    page = "Era una noche de invierno, y la niña del molino no dormía. ¿Quién llamaba?\n\n"
    names = ("Ana", "Blas", "Cleo", "Dora", "Elías", "Fe", "Gil", "Inés", "Juan", "Luz")
    text = "".join(
        page.replace("la niña", f"{name}, la niña número {i},") for i, name in enumerate(names * 60)
    )
    (tmp_path / "libro.txt").write_text(text, encoding="utf-8")
    for arguments in ([*train[:-1], "0.1"], generate):
        done = subprocess.run(
            [sys.executable, "-m", "vitral", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stderr)
    assert done.stdout.startswith("Era una noche")
    assert len(done.stdout) > 40
    assert (tmp_path / studio[2]).is_dir()
