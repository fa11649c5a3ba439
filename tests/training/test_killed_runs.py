"""A run that is killed again and again ends bit for bit like one that was left alone."""

import json
import multiprocessing
import random
import time
from pathlib import Path
from typing import Any

import pytest
from tests.training.killed_runs import run

KILLS = 5


@pytest.fixture(scope="module")
def context() -> Any:
    """Processes that are forked from one which has imported torch already."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(
        ["vitral.training.trainer", "vitral.training.objectives.next_token"]
    )
    return made


def lines(path: Path) -> list[dict[str, Any]]:
    """A curve without what a clock says."""
    clock = ("minutes", "seconds")
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [{k: v for k, v in entry.items() if k not in clock} for entry in found]


def kill_at(process: Any, steps: Path, num_lines: int, later: float) -> bool:
    """Kill the process a moment after the curve has so many lines; whether it was still there."""
    end = time.monotonic() + 60
    while process.is_alive() and time.monotonic() < end:
        if steps.exists() and steps.read_bytes().count(b"\n") >= num_lines:
            time.sleep(later)
            break
        time.sleep(0.001)
    alive = bool(process.is_alive())
    process.kill()
    process.join()
    return alive


@pytest.mark.parametrize("form", ["llama", "bert"])
def test_a_killed_run_equals_an_uninterrupted_one(form: str, tmp_path: Path, context: Any) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    process = context.Process(target=run, args=(form, str(whole), {}))
    process.start()
    process.join(120)
    assert process.exitcode == 0
    moments, died = random.Random(form), 0
    for number in range(KILLS):
        process = context.Process(target=run, args=(form, str(killed), {}))
        process.start()
        wanted = 3 + 5 * number  # a few steps further each time, and then anywhere in a step
        died += kill_at(process, killed / "steps.jsonl", wanted, moments.uniform(0, 0.03))
    assert died == KILLS
    assert not (killed / "model").exists()
    process = context.Process(target=run, args=(form, str(killed), {}))
    process.start()
    process.join(120)
    assert process.exitcode == 0
    assert [entry["step"] for entry in lines(whole / "steps.jsonl")] == list(range(1, 41))
    for name in ("steps.jsonl", "curve.jsonl"):
        assert lines(killed / name) == lines(whole / name)
    for name in ("model.safetensors", "config.json"):
        assert (killed / "model" / name).read_bytes() == (whole / "model" / name).read_bytes()
