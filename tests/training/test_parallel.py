"""Several processes, one run: what they compute together is what one computes alone."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.processes import Failed, Processes
from tests.training.word_runs import pair_recipe, pairs, prepared, recipe

import vitral
from vitral.errors import VitralError
from vitral.training.distributed.current import current
from vitral.training.distributed.parallel import DataParallel, Kind, Parallel
from vitral.training.distributed.sharded import Sharded
from vitral.training.preparation.corpus_preparation import Prepared
from vitral.training.preparation.pair_preparation import PreparedPairs
from vitral.training.recipes.shapes import TRANSLATORS
from vitral.training.trainer import Trainer


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    started = Processes(3)
    yield started
    started.end()


@pytest.fixture
def mortals() -> Iterator[Processes]:
    started = Processes(2, mortal=True)
    yield started
    started.end()


# What the processes do; each gives what the leader found.


def group_of(kind: Kind | None, patience: float = 60) -> Parallel:
    """With less patience, in seconds, so that a test that fails does not wait long."""
    if kind is None:
        return Parallel()
    return (Sharded if kind == "sharded" else DataParallel)(patience=timedelta(seconds=patience))


def steps(kind: Kind | None, out: Path, number: int, made: Any) -> dict[str, Any]:
    """So many steps in the folder `out`, from where the run there stands, and a checkpoint."""
    with group_of(kind) as group:
        if made.data.pairs is None:
            found: Prepared | PreparedPairs = prepared()
        else:
            with group.leader_first():
                found = pairs(out)
        trainer = Trainer(made, found, out, parallel=group)
        trainer.model.train()
        losses = []
        for _ in range(number):
            trainer.enter_phase()
            losses.append(trainer.step())
        figures = trainer.evaluate().figures
        trainer.save()
        leaders = group.total(group.leads)
        return {"losses": losses, "figures": figures, "leaders": leaders}


def whole_run(kind: Kind, out: Path, made: Any) -> bool:
    with group_of(kind) as group:
        return Trainer(made, prepared(), out, parallel=group).run()


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one["losses"] == pytest.approx(other["losses"], abs=2e-5)
    assert one["figures"] == pytest.approx(other["figures"], abs=1e-4)


# Same losses.


@pytest.mark.parametrize("kind", ["data", "sharded"])
@pytest.mark.parametrize(
    "form",
    ["llama", "gpt2", "bert", "roberta", "albert", "modernbert", "recurrent", *TRANSLATORS],
)
def test_two_processes_give_the_losses_of_one(
    form: str, kind: Kind, processes: Processes, tmp_path: Path
) -> None:
    optimizer = {"kind": "muon", "clip": 0.5}
    if form in TRANSLATORS:
        made = pair_recipe(form, optimizer=optimizer)
    else:
        shape = {"next_sentence": True} if form == "bert" else {}
        made = recipe(form, model=shape, optimizer=optimizer)
    one = steps(None, tmp_path / "one", 10, made)
    two = processes.all(2, steps, kind, tmp_path / "two", 10, made)
    same(one, two)
    assert two["leaders"] == 1


@pytest.mark.parametrize("kind", ["data", "sharded"])
@pytest.mark.parametrize("optimizer", ["momentum", "adamw"])
def test_three_processes_do_too_though_rows_and_parts_do_not_divide(
    optimizer: str, kind: Kind, processes: Processes, tmp_path: Path
) -> None:
    """Ten rows, or five, for three processes in two parts; sixteen rows of weights for three."""
    batch = {"tokens": 80, "lengths": [8, 16], "parts": 2}
    made = recipe("gpt2", optimizer={"kind": optimizer}, batch=batch)
    one = steps(None, tmp_path / "one", 6, made)
    same(one, processes.all(3, steps, kind, tmp_path / "three", 6, made))


@pytest.mark.parametrize("kind", ["data", "sharded"])
def test_two_processes_read_packed_documents_as_one(
    kind: Kind, processes: Processes, tmp_path: Path
) -> None:
    made = recipe("llama", data={"windows": "packed"}, optimizer={"kind": "adamw"})
    one = steps(None, tmp_path / "one", 4, made)
    same(one, processes.all(2, steps, kind, tmp_path / "two", 4, made))


@pytest.mark.parametrize("kind", ["data", "sharded"])
def test_float16_leaves_out_the_same_steps(
    kind: Kind, processes: Processes, tmp_path: Path
) -> None:
    """The scale starts so high that the first steps overflow."""
    made = recipe("gpt2", precision="float16", optimizer={"kind": "adamw", "rate": 0.02})
    one = steps(None, tmp_path / "one", 8, made)
    two = processes.all(2, steps, kind, tmp_path / "two", 8, made)
    assert one["losses"] == pytest.approx(two["losses"], abs=3e-3)


# Checkpoints, and the model at the end.


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("sharded", 2), ("sharded", 2)),
        (("sharded", 2), ("sharded", 3)),
        (("sharded", 3), (None, 1)),
        ((None, 1), ("sharded", 2)),
        (("data", 2), ("sharded", 2)),
        (("data", 2), ("data", 3)),
    ],
)
def test_a_run_goes_on_with_another_number_of_processes(
    before: tuple[Kind | None, int],
    after: tuple[Kind | None, int],
    processes: Processes,
    tmp_path: Path,
) -> None:
    made = recipe("llama", optimizer={"kind": "muon"}, patience=5)
    whole = steps(None, tmp_path / "whole", 6, made)
    found = []
    for number, (kind, size) in zip((4, 2), (before, after), strict=True):
        if kind is None:
            found.append(steps(None, tmp_path / "run", number, made))
        else:
            found.append(processes.all(size, steps, kind, tmp_path / "run", number, made))
    losses = [loss for part in found for loss in part["losses"]]
    assert losses == pytest.approx(whole["losses"], abs=2e-5)
    assert found[1]["figures"] == pytest.approx(whole["figures"], abs=1e-4)


@pytest.mark.parametrize("kind", ["data", "sharded"])
def test_the_leader_writes_the_model_that_one_process_writes(
    kind: Kind, processes: Processes, tmp_path: Path
) -> None:
    made = recipe("bert", patience=2)
    Trainer(made, prepared(), tmp_path / "one").run()
    assert processes.all(2, whole_run, kind, tmp_path / "two", made) is True
    one, two = (vitral.load(tmp_path / name / "model").module for name in ("one", "two"))
    for (name, a), (_, b) in zip(one.named_parameters(), two.named_parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=0, msg=name)
    lines = [
        len((tmp_path / name / "curve.jsonl").read_text().splitlines()) for name in ("one", "two")
    ]
    assert lines == [2, 2]


def test_a_disk_that_takes_nothing_is_said_by_the_leader(
    mortals: Processes, tmp_path: Path
) -> None:
    (tmp_path / "checkpoint").write_text("a file where the folder should be")
    leader, other = mortals.run(2, steps, "sharded", tmp_path, 1, recipe("gpt2"))
    assert leader.key == "checkpoint_unwritten", leader
    assert other.key == "process_lost", other


# What cannot be.


def test_growing_is_data_parallel_only(processes: Processes, tmp_path: Path) -> None:
    phase = {"objective": "next_token"}
    made = recipe("gpt2", phases=[phase | {"num_layers": 1, "until": 0.5}, phase])
    one = steps(None, tmp_path / "one", 10, made)
    same(one, processes.all(2, steps, "data", tmp_path / "data", 10, made))
    refused = processes.run(2, steps, "sharded", tmp_path / "sharded", 10, made)
    assert [answer.key for answer in refused] == ["sharded_cannot_grow"] * 2


def test_each_process_needs_a_row(processes: Processes, tmp_path: Path) -> None:
    made = recipe("gpt2", batch={"tokens": 32, "lengths": [16]})
    refused = processes.run(3, steps, "data", tmp_path, 1, made)
    assert [answer.key for answer in refused] == ["processes_without_rows"] * 3


def test_several_processes_are_asked_for_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert type(current()) is Parallel
    with pytest.raises(VitralError) as caught:
        current("sharded")
    assert caught.value.key == "parallel_without_torchrun"


def minutes(out: Path) -> float:
    """A run that is timed: whose clock counts?"""
    with current() as group:
        trainer = Trainer(recipe("gpt2", minutes=0.02), prepared(), out, parallel=group)
        trainer.enter_phase()
        while not trainer.over:
            if not group.leads:
                time.sleep(0.01)
            trainer.step()
        return float(trainer.state["step"])


def test_all_processes_end_a_timed_run_together(processes: Processes, tmp_path: Path) -> None:
    first, second = processes.run(2, minutes, tmp_path)
    assert first == second > 1


def stopped(out: Path) -> int:
    with current() as group:
        trainer = Trainer(recipe("gpt2"), prepared(), out, parallel=group)
        trainer.enter_phase()
        trainer.step()
        if not group.leads:
            trainer.stop()
        assert trainer.run() is False
        return int(trainer.state["step"])


def test_a_stop_in_one_process_stops_all_and_is_saved(processes: Processes, tmp_path: Path) -> None:
    assert processes.run(2, stopped, tmp_path) == [1, 1]
    assert (tmp_path / "checkpoint" / "step-00000001" / "state.json").is_file()


def not_a_number(kind: Kind, out: Path) -> None:
    with group_of(kind) as group:
        trainer = Trainer(recipe("gpt2"), prepared(), out, parallel=group)
        with torch.no_grad():
            for weight in trainer.model.layers[1].parameters():  # type: ignore[union-attr,index]
                weight.mul_(float("nan"))
        trainer.enter_phase()
        trainer.step()


@pytest.mark.parametrize("kind", ["data", "sharded"])
def test_all_processes_stop_at_a_loss_that_is_no_number(
    kind: Kind, processes: Processes, tmp_path: Path
) -> None:
    answers = processes.run(2, not_a_number, kind, tmp_path)
    assert [answer.key for answer in answers] == ["training_not_finite"] * 2, answers
    assert "layers.1" in answers[0].text


# Processes that die, or say nothing more.


def dying(kind: Kind, out: Path, how: str) -> None:
    with group_of(kind, patience=5 if how == "silent" else 60) as group:
        trainer = Trainer(recipe("gpt2"), prepared(), out, parallel=group)
        for step in range(10):
            if step == 3 and not group.leads:
                os.kill(os.getpid(), signal.SIGKILL if how == "killed" else signal.SIGSTOP)
            trainer.enter_phase()
            trainer.step()


@pytest.mark.parametrize(("kind", "how"), [("data", "killed"), ("sharded", "silent")])
def test_the_others_end_when_a_process_is_lost(
    kind: Kind, how: str, mortals: Processes, tmp_path: Path
) -> None:
    mortals.start(2, dying, kind, tmp_path, how)
    first = mortals.answer(0)
    assert isinstance(first, Failed)
    assert first.key == "process_lost", first
