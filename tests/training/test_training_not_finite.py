"""NaN, planted where it can come from: the run stops and says where it stands."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.word_runs import prepared, recipe

from vitral.errors import VitralError
from vitral.training.runs.checkpoint import most_recent_checkpoint
from vitral.training.trainer import Trainer


def trained(form: str, out: Path, **changes: Any) -> Trainer:
    """A run of three steps, saved."""
    run = Trainer(recipe(form, **changes), prepared(), out)
    run.model.train()
    for _ in range(3):
        run.enter_phase()
        run.step()
    run.save()
    return run


def stops(run: Trainer) -> dict[str, Any]:
    """What is said of the step that fails; the run is as it was before."""
    before = [weight.clone() for weight in run.model.parameters()]
    with pytest.raises(VitralError) as caught:
        run.step()
    assert caught.value.key == "training_not_finite"
    assert run.state["step"] == caught.value.values["step"] == 3
    for weight, old in zip(run.model.parameters(), before, strict=True):
        assert torch.equal(weight.nan_to_num(9.0), old.nan_to_num(9.0))
    saved = most_recent_checkpoint(run.out / "checkpoint")
    assert saved is not None
    assert saved.state["step"] == 3
    return caught.value.values


FORMS = ["llama", "gpt2", "bert"]


@pytest.mark.parametrize("form", FORMS)
def test_a_weight(form: str, tmp_path: Path) -> None:
    run = trained(form, tmp_path)
    name = "layers.1.mlp.down_proj.weight"
    with torch.no_grad():
        run.model.get_parameter(name)[3, 2] = float("nan")
    assert stops(run)["address"] == name


@pytest.mark.parametrize("form", FORMS)
def test_an_activation_of_one_row(form: str, tmp_path: Path) -> None:
    """Where a certain word is read, the second layer's feed-forward part gives infinity."""
    run = trained(form, tmp_path)
    ids = run.objective.batch(3).inputs["ids"]
    row = len(ids) - 2
    others = set(ids[torch.arange(len(ids)) != row].flatten().tolist())
    alone = next((word for word in ids[row].tolist() if word not in others), None)
    if alone is None:  # every word stands elsewhere too: take the first row that has it
        alone = int(ids[row, 1])
        row = int((ids == alone).any(1).nonzero()[0])
    read: list[torch.Tensor] = []
    # An encoder is read through `encode`, so it is the embedding that sees what is read.
    embed = getattr(run.model.embed, "tokens", run.model.embed)
    embed.register_forward_hook(lambda module, args, out: read.append(args[0]))

    def spoil(module: Any, args: Any, out: torch.Tensor) -> torch.Tensor:
        rows = (read[-1] == alone).any(1)
        return out.masked_fill(rows[:, None, None], float("inf"))

    run.model.layers[1].mlp.register_forward_hook(spoil)
    found = stops(run)
    assert found["row"] == row
    assert found["address"] == "layers.1.mlp.out"


@pytest.mark.parametrize("form", FORMS)
def test_a_gradient(form: str, tmp_path: Path) -> None:
    run = trained(form, tmp_path)
    name = "layers.0.attention.q_proj.weight"
    run.model.get_parameter(name).register_hook(lambda gradient: gradient * float("nan"))
    assert stops(run)["address"] == f"{name}.grad"


def test_float16_leaves_out_a_step_that_overflows_and_no_more(tmp_path: Path) -> None:
    """A gradient that overflows is no fault in float16; a loss that is no number is one."""
    run = trained("llama", tmp_path, precision="float16")
    before = run.precision.state["scale"]
    name = "layers.0.attention.q_proj.weight"
    run.model.get_parameter(name).register_hook(lambda gradient: gradient * float("inf"))
    weights = [weight.clone() for weight in run.model.parameters()]
    run.step()
    assert run.precision.state["scale"] == before / 2
    for weight, old in zip(run.model.parameters(), weights, strict=True):
        assert torch.equal(weight, old)
    while run.precision.may_overflow:  # each step halves the scale
        run.step()
    with pytest.raises(VitralError) as caught:
        run.step()
    assert caught.value.values["address"] == f"{name}.grad"
    run = trained("llama", tmp_path / "other", precision="float16")
    name = "layers.1.mlp.down_proj.weight"
    with torch.no_grad():
        run.model.get_parameter(name)[0, 0] = float("nan")
    with pytest.raises(VitralError) as caught:
        run.step()
    assert caught.value.values["address"] == name
