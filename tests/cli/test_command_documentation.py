"""Every command that the documentation shows runs, and ends as it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vitral.cli.program import COMMANDS
from vitral.models.catalog import BUNDLED, bundled

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "command-line.md"
COMMAND = re.compile(r"^\$ (.+?)(?:\s*# exit code (\d+))?$", re.MULTILINE)


def commands() -> list[tuple[str, int]]:
    """Each command of the page with the exit code it should have, in order."""
    text = PAGE.read_text(encoding="utf-8")
    return [(line, int(code or 0)) for line, code in COMMAND.findall(text)]


def test_every_command_has_an_example() -> None:
    shown = " ".join(line for line, _ in commands())
    for name in COMMANDS:
        assert f"vitral {name}" in shown


@pytest.mark.skipif(bundled() != list(BUNDLED), reason="needs both bundled models in assets/models")
def test_examples_run_as_written(tmp_path: Path) -> None:
    """In one shell, one after another: a later one opens what an earlier one saved."""
    (tmp_path / "texto.txt").write_text("La niña lee un libro en el jardín.\n", encoding="utf-8")
    program = tmp_path / "bin" / "vitral"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vitral "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    for line, code in commands():
        result = subprocess.run(
            line,
            shell=True,
            cwd=tmp_path,
            env={**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        assert result.returncode == code, (line, result.stderr)
        assert (result.stderr.count("\n"), result.stdout == "") == (
            (1, True) if code else (0, False)
        ), line
