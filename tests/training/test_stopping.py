"""Ctrl-C and `kill` while training: the run is saved, and the program says how to go on."""

import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.training.small_runs import books

from vitral.training.runs.stopping import interrupted_by_signals, stopping_on_signals

RECIPE = """\
name: prueba
model: { form: llama, context: 16, hidden_size: 16, num_layers: 1, num_heads: 2 }
tokenizer: { vocab_size: 300 }
batch: { tokens: 64, lengths: [16] }
minutes: 60
evaluate_every: 5
"""


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "vitral", "train", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "VITRAL_LANGUAGE": "en", "OMP_NUM_THREADS": "1"},
    )


def test_a_stopped_run_is_saved_and_goes_on(tmp_path: Path) -> None:
    books(tmp_path / "mis libros")
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    arguments = ["mis libros", "--recipe", "recipe.yaml", "--out", "mi modelo"]
    reached = 0
    for kind in (signal.SIGINT, signal.SIGTERM):
        process = start(tmp_path, *arguments)
        assert process.stdout is not None
        for line in process.stdout:  # until it has looked: it is in the midst of it
            if line.startswith("step"):
                break
        process.send_signal(kind)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 130, errors
        said, _, command = errors.partition(" To resume: ")
        assert command == "vitral train --out 'mi modelo'\n"
        step = int(said.removeprefix("Saved at step ").rstrip("."))
        assert step > reached
        reached = step
        arguments = shlex.split(command)[2:]
    states = sorted(path.name for path in (tmp_path / "mi modelo" / "checkpoint").iterdir())
    assert states[-1] == f"step-{reached:08d}"


def test_the_first_signal_asks_and_the_second_insists() -> None:
    asked: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    with stopping_on_signals(lambda: asked.append(1)):
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked == [1]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert asked == [1]
    with interrupted_by_signals(), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_leave_signals_alone() -> None:
    seen: list[bool] = []

    def look() -> None:
        before = signal.getsignal(signal.SIGTERM)
        with stopping_on_signals(lambda: None):
            seen.append(signal.getsignal(signal.SIGTERM) is before)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [True]
