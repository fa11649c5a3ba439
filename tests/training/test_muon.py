import pytest
import torch

from vitral.training.optimization.muon import Muon
from vitral.training.optimization.orthogonal import orthogonalise


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(12, 12), (12, 40), (40, 12)])
def test_orthogonalise_brings_all_singular_values_near_one(shape: tuple[int, int]) -> None:
    values = torch.linalg.svdvals(orthogonalise(drawn(*shape)))
    assert values.min() > 0.6
    assert values.max() < 1.25


def test_orthogonalise_keeps_the_directions() -> None:
    matrix = drawn(8, 20, seed=1)
    u, _, vh = torch.linalg.svd(matrix, full_matrices=False)
    turned = u.T @ orthogonalise(matrix) @ vh.T
    off_diagonal = turned - torch.diag(turned.diag())
    assert off_diagonal.abs().max() < 1e-3


@pytest.mark.parametrize("shape", [(6, 10), (10, 6)])
def test_many_matrices_are_turned_as_each_by_itself(shape: tuple[int, int]) -> None:
    matrices = drawn(5, *shape)
    together = orthogonalise(matrices)
    for matrix, turned in zip(matrices, together, strict=True):
        torch.testing.assert_close(orthogonalise(matrix), turned, atol=1e-5, rtol=1e-5)


def test_no_matrices_are_turned_into_none() -> None:
    """As in a process that has none of them."""
    assert orthogonalise(torch.empty(0, 4, 6)).shape == (0, 4, 6)


def test_one_step_is_as_torch_computes_it() -> None:
    """The published optimiser works in bfloat16, so it agrees to that precision only."""
    gradient = drawn(6, 10, seed=2)
    ours, theirs = (torch.nn.Parameter(torch.ones(6, 10)) for _ in range(2))
    for weight, optimizer in (
        (ours, Muon([ours], lr=0.1, momentum=0.9, weight_decay=0.1)),
        (theirs, torch.optim.Muon([theirs], lr=0.1, momentum=0.9, weight_decay=0.1)),
    ):
        weight.grad = gradient.clone()
        optimizer.step()
    torch.testing.assert_close(ours, theirs, atol=0.004, rtol=0.01)


def test_several_steps_are_the_formula_written_out() -> None:
    """m ← μ·m + (1 − μ)·g;  w ← (1 − rate·decay)·w − rate·√max(1, R/C)·orthogonal of
    (1 − μ)·g + μ·m."""
    rate, momentum, decay = 0.1, 0.9, 0.2
    start, gradients = drawn(10, 6, seed=3), drawn(3, 10, 6, seed=4)
    weight = torch.nn.Parameter(start.clone())
    optimizer = Muon([weight], lr=rate, momentum=momentum, weight_decay=decay)
    expected, average = start.clone(), torch.zeros(10, 6)
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()
        average = momentum * average + (1 - momentum) * gradient
        turned = orthogonalise((1 - momentum) * gradient + momentum * average)
        expected = (1 - rate * decay) * expected - rate * (10 / 6) ** 0.5 * turned
    torch.testing.assert_close(weight.detach(), expected, atol=1e-5, rtol=1e-5)


def test_weights_of_other_shapes_change_nothing() -> None:
    gradient = drawn(6, 10)
    alone, beside = (torch.nn.Parameter(torch.ones(6, 10)) for _ in range(2))
    others = [torch.nn.Parameter(torch.ones(shape)) for shape in ((6, 10), (4, 4))]
    for weights in ([alone], [*others, beside]):
        for weight in weights:
            weight.grad = drawn(*weight.shape, seed=9)
        weights[-1].grad = gradient.clone()
        Muon(weights, lr=0.1).step()
    torch.testing.assert_close(alone, beside, atol=1e-6, rtol=1e-5)


def test_products_in_sixteen_bits_turn_the_same_way() -> None:
    matrix = drawn(16, 16)
    turned = orthogonalise(matrix, products=torch.bfloat16)
    assert turned.dtype == torch.float32
    torch.testing.assert_close(turned, orthogonalise(matrix), atol=0.05, rtol=0)


def test_a_weight_without_a_gradient_stays() -> None:
    moved, still = (torch.nn.Parameter(torch.ones(3, 3)) for _ in range(2))
    moved.grad = drawn(3, 3)
    Muon([moved, still], weight_decay=0.1).step()
    assert torch.equal(still, torch.ones(3, 3))
    assert not torch.equal(moved, torch.ones(3, 3))
