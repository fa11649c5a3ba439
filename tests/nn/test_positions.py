import pytest
import torch

from vitral.nn.positions import RotaryPositions, sinusoidal_positions


def turned(rotary: RotaryPositions, x: torch.Tensor, position: int) -> torch.Tensor:
    return rotary(x, *rotary.angles(torch.tensor([position])))


@pytest.mark.parametrize(("query_at", "key_at"), [(0, 0), (5, 2), (2, 5), (900, 897)])
def test_the_product_depends_on_the_distance_only(query_at: int, key_at: int) -> None:
    rotary = RotaryPositions(head_size=12, base=100.0)
    torch.manual_seed(0)
    q, k = torch.randn(2, 1, 1, 1, 12).unbind(0)
    here = (turned(rotary, q, query_at) * turned(rotary, k, key_at)).sum()
    there = (turned(rotary, q, query_at + 40) * turned(rotary, k, key_at + 40)).sum()
    torch.testing.assert_close(here, there, atol=1e-4, rtol=1e-4)


def test_turning_keeps_lengths() -> None:
    rotary = RotaryPositions(head_size=8)
    x = torch.randn(2, 3, 5, 8)
    y = rotary(x, *rotary.angles(torch.arange(5)))
    torch.testing.assert_close(y.norm(dim=-1), x.norm(dim=-1), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(y[:, :, 0], x[:, :, 0], atol=0, rtol=0)


def test_sinusoids_move_by_one_linear_map() -> None:
    waves = sinusoidal_positions(60, 16, base=60)
    assert waves.shape == (60, 16)
    frequencies = 60 ** (-torch.arange(0, 16, 2) / 16)
    turn = torch.block_diag(
        *(torch.tensor([[w.cos(), -w.sin()], [w.sin(), w.cos()]]) for w in frequencies)
    )
    torch.testing.assert_close(waves[:-1] @ turn, waves[1:], atol=1e-4, rtol=0)


def test_sinusoids_tell_neighbours_apart() -> None:
    waves = torch.nn.functional.normalize(sinusoidal_positions(256, 192, base=256), dim=1)
    likeness = waves @ waves.T
    assert likeness.diagonal(1).max() < 0.97
    assert (likeness.diagonal(1) > likeness.diagonal(40).mean() + 0.3).all()
