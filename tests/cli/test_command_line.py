"""The program around the commands: version, help, ends."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import vitral
from vitral.cli.program import COMMANDS, GROUPS
from vitral.cli.studio import has_browser
from vitral.messages import catalogue

Run = Callable[..., Any]


def test_version_is_quick(process: Run) -> None:
    """Within 0.3 s more than Python itself takes to start: the best of three, on any machine."""
    best = min(_seconds("-m", "vitral", "--version") for _ in range(3))
    bare = min(_seconds("-c", "pass") for _ in range(3))
    assert best - bare < 0.25
    outcome = process("--version")
    assert (outcome.code, outcome.out, outcome.err) == (0, f"vitral {vitral.__version__}\n", "")


def _seconds(*arguments: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - started


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["trace", "--help"]])
def test_nothing_heavy_is_imported_for(arguments: list[str]) -> None:
    code = (
        "import sys; from vitral.cli.program import run; from vitral.cli import main\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'torch', 'transformers', 'fastapi', 'numpy', 'uvicorn'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("language", "words"), [("en", ["Usage:", "Commands"]), ("es", ["Uso:", "Comandos"])]
)
def test_help_speaks_the_readers_language(process: Run, language: str, words: list[str]) -> None:
    outcome = process("--help", VITRAL_LANGUAGE=language)
    assert (outcome.code, outcome.err) == (0, "")
    for word in (*words, *COMMANDS):
        assert word in outcome.out


@pytest.mark.parametrize(
    "command_line",
    [
        *([name] for name in COMMANDS if name not in GROUPS),
        *([name, each] for name, group in GROUPS.items() for each in group),
    ],
    ids=" ".join,
)
def test_help_has_no_english_word_of_cyclopts(
    command: Run, monkeypatch: pytest.MonkeyPatch, command_line: list[str]
) -> None:
    monkeypatch.setenv("VITRAL_LANGUAGE", "es")
    outcome = command(*command_line, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    english = r"\[(choices|required|default|env var)|Usage|Parameters|Commands"
    assert not re.search(english, outcome.out)
    placeholders = re.findall(r"^│ (?:-\S+ )?([A-ZÑÚÓ]+)(?:\.\.\.)? ", outcome.out, re.MULTILINE)
    spanish = catalogue("es")
    known = {spanish[key] for key in spanish if key.startswith("cli.help.value.")}
    assert set(placeholders) <= known


def test_help_says_what_is_required_and_what_may_be_chosen(process: Run) -> None:
    spanish = {"VITRAL_LANGUAGE": "es", "COLUMNS": "200"}
    assert "[uno de: data, sharded]" in process("train", "--help", **spanish).out
    assert process("evaluate", "--help", **spanish).out.count("[obligatorio]") == 2


def test_models_lists_what_there_is(command: Run) -> None:
    """With bundled models they are listed; a copy without them says so."""
    from vitral.models.catalog import bundled

    outcome = command("models")
    assert outcome.code == (0 if bundled() else 2)
    for name in bundled():
        assert name in outcome.out


def test_output_cut_off_by_its_reader_is_no_error(bert_folder: Path) -> None:
    script = (
        f"{sys.executable} -m vitral trace 'El gato' --model {bert_folder} --json | head -c 10"
        "; exit ${PIPESTATUS[0]}"
    )
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_interrupted_is_quiet(bert_folder: Path) -> None:
    """Ctrl-C while the text is still awaited from standard input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "vitral", "trace", "--file", "-", "--model", str(bert_folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell's background jobs, and what they start, ignore Ctrl-C; this one must not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_a_browser_only_where_somebody_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "SSH_CONNECTION", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert not has_browser()
    monkeypatch.setenv("DISPLAY", ":0")
    assert has_browser()
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1")
    assert not has_browser()
