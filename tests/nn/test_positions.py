import pytest
import torch

from vitral.nn.positions import RotaryPositions


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
