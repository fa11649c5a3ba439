"""Ctrl-C while training: the run is saved, the program says how to go on, and goes on."""

import signal
import subprocess
import sys
from pathlib import Path

import yaml
from tests.training.test_trainer import books, recipe

SAVED = "Saved at step"


def start(folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "vitral.training", str(folder / "recipe.yaml")]
    command += ["--data", str(folder / "books"), "--out", str(folder / "run"), "--no-compile"]
    command += ["--threads", "1"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)


def test_a_stopped_run_is_saved_and_goes_on(tmp_path: Path) -> None:
    books(tmp_path / "books")
    settings = recipe("bert").model_dump()
    settings |= {"minutes": 60.0, "checkpoint_minutes": 60.0, "evaluate_every": 5}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    first_steps = 0
    for attempt in range(2):
        process = start(tmp_path)
        assert process.stdout is not None
        process.stdout.readline()  # it has looked at held-out text: it is in the midst of it
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130
        assert SAVED in errors
        assert len(errors.strip().splitlines()) == 1
        step = int(errors.split(SAVED)[1].split(";")[0])
        if attempt == 0:
            first_steps = step
        else:
            assert step > first_steps  # not begun anew
