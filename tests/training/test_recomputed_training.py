"""Activations that are computed again take less memory and change nothing else."""

from pathlib import Path

import pytest
import torch
from tests.training.word_runs import prepared, recipe

from vitral.training.recipes.mistakes import ContradictionError
from vitral.training.trainer import Trainer


def losses_and_bytes(form: str, out: Path, *, recompute: bool) -> tuple[list[float], int]:
    """Three losses, and how many bytes the first step kept for its backward pass."""
    made = recipe(form, model={"dropout": 0.1}, recompute_activations=recompute)
    run = Trainer(made, prepared(), out)
    run.model.train()
    run.enter_phase()
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        first = run.step()
    return [first, run.step(), run.step()], sum(kept.values())


@pytest.mark.parametrize("form", ["llama", "gpt2", "bert"])
def test_recomputed_activations_give_the_same_losses(form: str, tmp_path: Path) -> None:
    kept, kept_bytes = losses_and_bytes(form, tmp_path / "kept", recompute=False)
    again, again_bytes = losses_and_bytes(form, tmp_path / "again", recompute=True)
    assert again == kept
    assert 0 < again_bytes < 0.7 * kept_bytes


def test_what_has_no_blocks_cannot_be_asked_to() -> None:
    with pytest.raises(ValueError, match="recompute_activations") as caught:
        recipe("llama").model_validate(
            {
                "name": "x",
                "model": {"form": "recurrent"},
                "steps": 1,
                "recompute_activations": True,
            }
        )
    error = caught.value.errors()[0]["ctx"]["error"]  # type: ignore[attr-defined]
    assert isinstance(error, ContradictionError)
    assert error.mistakes[0].key == "no_recomputing"
