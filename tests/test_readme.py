"""What the documentation says is true: links lead somewhere, code runs, commands exist."""

import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("*.md")],
)
READMES = ["README.md", "README.es.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("name", READMES)
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


@pytest.mark.parametrize("name", READMES)
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
        for name in READMES
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
