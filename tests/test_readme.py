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
