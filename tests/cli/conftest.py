"""Two ways to run the command line: as a process, as a user does, or quickly, in this one."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from vitral.cli.program import run


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., Outcome]:
    """Runs `python -m vitral …` in an empty folder, without a network, in English."""

    def start(*arguments: str | bytes, stdin: bytes = b"", **environment: str) -> Outcome:
        result = subprocess.run(
            [sys.executable, "-m", "vitral", *arguments],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env={
                **os.environ,
                "VITRAL_LANGUAGE": "en",
                "HF_HUB_OFFLINE": "1",
                "OMP_NUM_THREADS": "1",
                **environment,
            },
            timeout=120,
        )
        return Outcome(result.returncode, result.stdout.decode(), result.stderr.decode())

    return start


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Runs a command line in this process, 80 columns wide and in English."""
    monkeypatch.setenv("VITRAL_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "80")

    def call(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = run(arguments)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
