"""Checkpoints: two that are whole, or the one before; and what they are tied to."""

import json
import os
import resource
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from tests.training.word_runs import prepared, recipe

from vitral.errors import VitralError
from vitral.training.runs import checkpoint as checkpoint_module
from vitral.training.runs.checkpoint import most_recent_checkpoint
from vitral.training.runs.durable import damage, write_folder
from vitral.training.trainer import Trainer
from vitral.training.watching.watcher import Watcher


class Notices(Watcher):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def noticed(self, line: str) -> None:
        self.lines.append(line)


def trainer(out: Path, notices: Notices | None = None, **changes: Any) -> Trainer:
    watchers = [] if notices is None else [notices]
    return Trainer(recipe("llama", **changes), prepared(), out, watchers=watchers)


def saved_at(out: Path, *steps: int, **changes: Any) -> Trainer:
    """A run that was saved at these steps."""
    run = trainer(out, **changes)
    run.model.train()
    while run.state["step"] < steps[-1]:
        run.enter_phase()
        run.step()
        if run.state["step"] in steps:
            run.save()
    return run


def names(out: Path) -> list[str]:
    return sorted(path.name for path in (out / "checkpoint").iterdir())


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    saved_at(tmp_path, 1, 2, 4)
    assert names(tmp_path) == ["step-00000002", "step-00000004"]
    assert all(damage(tmp_path / "checkpoint" / name) is None for name in names(tmp_path))


@pytest.mark.parametrize("harm", ["flipped", "cut", "gone", "stateless"])
def test_a_damaged_one_is_passed_over_and_said(harm: str, tmp_path: Path) -> None:
    before = saved_at(tmp_path, 1, 2).state
    newest = tmp_path / "checkpoint" / "step-00000002"
    tensors = newest / "tensors.safetensors"
    data = bytearray(tensors.read_bytes())
    if harm == "flipped":
        data[-5] ^= 1
        tensors.write_bytes(data)
    elif harm == "cut":
        tensors.write_bytes(data[: len(data) // 2])
    elif harm == "gone":
        tensors.unlink()
    else:
        (newest / "state.json").write_text("{}", encoding="utf-8")
    notices = Notices()
    run = trainer(tmp_path, notices)
    assert before["step"] == 2
    assert run.state["step"] == 1
    assert len(notices.lines) == 1
    assert str(newest) in notices.lines[0]
    run.enter_phase()
    run.step()
    run.save()  # takes the damaged one's place
    assert damage(newest) is None
    assert names(tmp_path) == ["step-00000001", "step-00000002"]


def test_where_all_are_damaged_nothing_begins_anew(tmp_path: Path) -> None:
    saved_at(tmp_path, 1, 2)
    for folder in (tmp_path / "checkpoint").iterdir():
        (folder / "checksums.json").unlink()
    with pytest.raises(VitralError) as caught:
        trainer(tmp_path)
    assert caught.value.key == "checkpoints_damaged"


def test_a_half_written_one_is_none(tmp_path: Path) -> None:
    saved_at(tmp_path, 1)
    half = tmp_path / "checkpoint" / "step-00000007.new"
    shutil.copytree(tmp_path / "checkpoint" / "step-00000001", half)
    run = trainer(tmp_path)
    assert run.state["step"] == 1
    run.enter_phase()
    run.step()
    run.save()
    assert names(tmp_path) == ["step-00000001", "step-00000002"]


def test_a_file_system_that_takes_no_more(tmp_path: Path) -> None:
    """A limit on the size of files, which the system enforces as it does a full disk."""
    run = saved_at(tmp_path, 1)
    run.step()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(VitralError) as caught:
            run.save()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.key == "checkpoint_unwritten"
    assert "step 2" in str(caught.value)
    assert os.strerror(27) in str(caught.value)
    assert names(tmp_path) == ["step-00000001"]
    assert trainer(tmp_path).state["step"] == 1
    run.save()  # there is room again
    assert trainer(tmp_path).state["step"] == 2


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = saved_at(tmp_path, 1)
    run.step()

    def full(tensors: Any, path: Path) -> None:
        Path(path).write_bytes(b"half")
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(checkpoint_module, "save_file", full)
    with pytest.raises(VitralError, match="No space left on device") as caught:
        run.save()
    assert caught.value.key == "checkpoint_unwritten"
    assert names(tmp_path) == ["step-00000001"]
    assert damage(tmp_path / "checkpoint" / "step-00000001") is None


def test_a_folder_takes_its_place_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    write_folder(folder, lambda new: (new / "a").write_text("1"))  # type: ignore[arg-type,return-value]

    def fails(new: Path) -> None:
        (new / "a").write_text("2")
        raise OSError(28, "full")

    with pytest.raises(OSError, match="full"):
        write_folder(folder, fails)
    assert (folder / "a").read_text() == "1"
    assert damage(folder) is None
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_change_that_makes_it_another_run_is_refused(tmp_path: Path) -> None:
    saved_at(tmp_path, 1)
    with pytest.raises(VitralError) as caught:
        trainer(tmp_path, model={"hidden_size": 32}, seed=3, steps=20)
    assert caught.value.key == "recipe_changed"
    text = str(caught.value)
    assert "model.hidden_size: 16 → 32" in text
    assert "seed: 1605 → 3" in text
    assert "steps" not in text
    assert trainer(tmp_path).state["step"] == 1


def test_other_changes_are_told_and_take_effect(tmp_path: Path) -> None:
    saved_at(tmp_path, 1)
    notices = Notices()
    run = trainer(tmp_path, notices, optimizer={"rate": 0.5}, steps=20, model={"dropout": 0.25})
    told = "\n".join(notices.lines)
    assert len(notices.lines) == 3
    for change in ("optimizer.rate: — → 0.5", "steps: 10 → 20", "model.dropout: 0.0 → 0.25"):
        assert change in told
    assert run.progress == pytest.approx(1 / 20)
    assert run.optimizers[0].param_groups[0]["peak"] == 0.5
    assert not [line for line in quiet(tmp_path) if line]


def quiet(out: Path) -> list[str]:
    """What is said where nothing has changed."""
    notices = Notices()
    trainer(out, notices)
    return notices.lines


def test_another_text_is_refused(tmp_path: Path) -> None:
    saved_at(tmp_path, 1)
    with pytest.raises(VitralError) as caught:
        Trainer(recipe("llama"), prepared(2999), tmp_path)
    assert caught.value.key == "run_other_text"


@pytest.mark.parametrize("kind", ["sgd", "momentum", "rmsprop", "adagrad", "adam", "adamw"])
def test_every_optimiser_goes_on_as_it_was(kind: str, tmp_path: Path) -> None:
    whole = saved_at(tmp_path / "whole", 4, optimizer={"kind": kind})
    saved_at(tmp_path / "parts", 2, optimizer={"kind": kind})
    parts = saved_at(tmp_path / "parts", 4, optimizer={"kind": kind})
    for one, other in zip(whole.model.parameters(), parts.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_scale_of_float16_is_kept(tmp_path: Path) -> None:
    run = trainer(tmp_path, precision="float16")
    run.precision.state = run.precision.state | {"scale": 512.0, "_growth_tracker": 7}
    run.save()
    again = trainer(tmp_path, precision="float16")
    assert again.precision.state == run.precision.state
    assert again.precision.state["scale"] == 512.0


def test_a_step_that_is_saved_is_not_written_twice(tmp_path: Path) -> None:
    run = saved_at(tmp_path, 1)
    path = tmp_path / "checkpoint" / "step-00000001" / "state.json"
    written = path.stat().st_mtime_ns
    run.save()
    trainer(tmp_path).save()
    assert path.stat().st_mtime_ns == written


def test_early_stopping_keeps_the_best(tmp_path: Path) -> None:
    """A rate far too high: after the first looks nothing gets better."""
    changes: dict[str, Any] = {
        "optimizer": {"kind": "sgd", "rate": 3.0, "clip": None, "weight_decay": 0.0},
        "schedule": {"kind": "constant", "warm_up": 0.9},
        "steps": 400,
        "evaluate_every": 2,
        "patience": 3,
    }
    run = trainer(tmp_path, **changes)
    assert run.run()
    assert run.state["step"] < 400
    entries = (tmp_path / "curve.jsonl").read_text(encoding="utf-8").splitlines()
    losses = [json.loads(entry)["held_out_loss"] for entry in entries]
    assert run.early_stopping.step == 2 * (losses.index(min(losses)) + 1)
    assert len(losses) == losses.index(min(losses)) + 1 + 3
    found = run.objective.held_out(run.model.eval())["held_out_loss"]
    assert found == pytest.approx(min(losses), abs=1e-4)
    assert losses[-1] > min(losses) + 1e-3
    again = trainer(tmp_path, **changes)
    assert again.over
    assert again.early_stopping.loss == run.early_stopping.loss
    saved = most_recent_checkpoint(tmp_path / "checkpoint")
    assert saved is not None
    again.early_stopping.put_best(again.model)
    for one, other in zip(run.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)
