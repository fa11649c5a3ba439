import pytest
import torch

from vitral.training.muon import Muon, orthogonalise


@pytest.mark.parametrize("shape", [(12, 12), (12, 40), (40, 12)])
def test_orthogonalise_brings_all_singular_values_near_one(shape) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalise(matrix))
    assert values.min() > 0.6
    assert values.max() < 1.25


def test_orthogonalise_keeps_the_directions() -> None:
    matrix = torch.randn(8, 20, generator=torch.Generator().manual_seed(1))
    u, _, vh = torch.linalg.svd(matrix, full_matrices=False)
    turned = u.T @ orthogonalise(matrix) @ vh.T
    off_diagonal = turned - torch.diag(turned.diag())
    assert off_diagonal.abs().max() < 1e-3


def test_one_step_is_as_torch_computes_it() -> None:
    """The published optimiser works in bfloat16, so it agrees to that precision only."""
    gradient = torch.randn(6, 10, generator=torch.Generator().manual_seed(2))
    ours, theirs = (torch.nn.Parameter(torch.ones(6, 10)) for _ in range(2))
    for weight, optimizer in (
        (ours, Muon([ours], lr=0.1, momentum=0.9, weight_decay=0.1)),
        (theirs, torch.optim.Muon([theirs], lr=0.1, momentum=0.9, weight_decay=0.1)),
    ):
        weight.grad = gradient.clone()
        optimizer.step()
    torch.testing.assert_close(ours, theirs, atol=0.004, rtol=0.01)
