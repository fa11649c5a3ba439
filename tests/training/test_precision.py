"""Sixteen bits: what runs in them, what stays in thirty-two, and steps that are left out."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.word_runs import prepared, recipe
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.training.optimization.precision import Precision
from vitral.training.trainer import Trainer

CPU = torch.device("cpu")


def trainer(out: Path, precision: str, **changes: Any) -> Trainer:
    changes = {"optimizer": {"kind": "muon"}} | changes
    run = Trainer(recipe("gpt2", precision=precision, **changes), prepared(), out)
    run.model.train()
    run.enter_phase()
    return run


def weights(run: Trainer) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in run.model.named_parameters()}


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("float32", torch.float32), ("bfloat16", torch.bfloat16), ("float16", torch.float16)],
)
def test_products_run_in_the_named_precision(name: str, dtype: torch.dtype) -> None:
    layer = nn.Linear(4, 4)
    with Precision(name, CPU).autocast():
        assert layer(torch.ones(1, 4)).dtype == dtype
    assert layer.weight.dtype == torch.float32


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_a_run_in_sixteen_bits_is_near_one_in_thirty_two(name: str, tmp_path: Path) -> None:
    exact, coarse = trainer(tmp_path / "a", "float32"), trainer(tmp_path / "b", name)
    if name == "float16":  # so that no step is left out
        coarse.precision.state = coarse.precision.state | {"scale": 1024.0}
    losses = [[run.step() for _ in range(10)] for run in (exact, coarse)]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], abs=0.03)
    kept = list(coarse.model.parameters())
    kept += [t for o in coarse.optimizers for s in o.state.values() for t in s.values()]
    assert {tensor.dtype for tensor in kept} == {torch.float32}


def test_gradients_are_scaled_up_and_down_again() -> None:
    weight = nn.Parameter(torch.tensor([3.0]))
    precision, optimizer = Precision("float16", CPU), torch.optim.SGD([weight], lr=1.0)
    precision.backward((2e-6 * weight).sum())
    assert weight.grad is not None
    assert float(weight.grad) == pytest.approx(2e-6 * precision.state["scale"])
    precision.gradients_as_they_are([optimizer])
    assert float(weight.grad) == pytest.approx(2e-6)
    precision.step([optimizer])
    assert float(weight.detach()) == pytest.approx(3 - 2e-6)


def test_an_overflow_in_one_optimiser_stops_them_all(tmp_path: Path) -> None:
    """What Muon moves is finite, what AdamW moves is not; neither may move alone."""
    run = trainer(tmp_path, "float16")
    head = run.model.get_parameter("norm.weight")
    head.register_hook(lambda gradient: gradient * float("inf"))
    before, scale = weights(run), run.precision.state["scale"]
    run.step()
    for name, weight in run.model.named_parameters():
        assert torch.equal(weight, before[name]), name
    assert run.precision.state["scale"] == scale / 2
    assert all(not optimizer.state for optimizer in run.optimizers)
    assert run.state["step"] == 1


def test_the_scale_comes_down_until_steps_are_taken(tmp_path: Path) -> None:
    run = trainer(tmp_path, "float16", steps=30)
    run.precision.state = run.precision.state | {"scale": 2.0**34}
    before = weights(run)
    moved_at = None
    for number in range(30):
        run.step()
        moved = any(not torch.equal(w, before[n]) for n, w in run.model.named_parameters())
        if moved and moved_at is None:
            moved_at = number
            assert run.precision.state["scale"] == 2.0 ** (34 - number)
    assert moved_at is not None
    assert 0 < moved_at < 29


def test_the_scale_doubles_when_all_has_gone_well(tmp_path: Path) -> None:
    run = trainer(tmp_path, "float16")
    interval = run.precision.state["growth_interval"]
    run.precision.state = run.precision.state | {"scale": 256.0, "_growth_tracker": interval - 1}
    run.step()
    assert run.precision.state["scale"] == 512.0


def test_the_scale_is_saved_with_the_run(tmp_path: Path) -> None:
    first = trainer(tmp_path, "float16")
    first.precision.state = first.precision.state | {"scale": 2.0**60}
    for _ in range(3):
        first.step()
    first.save()
    second = trainer(tmp_path, "float16")
    assert second.precision.state == first.precision.state
    assert second.precision.state["scale"] == 2.0**57
    assert json.loads(json.dumps(second.precision.state)) == second.precision.state


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_without_a_scale_there_is_nothing_to_leave_out_or_to_save(name: str) -> None:
    precision = Precision(name, CPU)
    assert not precision.may_overflow
    assert precision.state == {}
    precision.state = {}


def test_a_loss_that_is_no_number_is_no_overflow(tmp_path: Path) -> None:
    run = trainer(tmp_path, "float16")
    with torch.no_grad():
        run.model.get_parameter("layers.1.mlp.up_proj.weight").fill_(float("nan"))
    with pytest.raises(VitralError) as caught:
        run.step()
    assert caught.value.key == "training_not_finite"
