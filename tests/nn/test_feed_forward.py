import torch
from torch.nn.functional import gelu, silu

from vitral.nn.feed_forward import FeedForward, GatedFeedForward


def test_feed_forward_is_its_equation() -> None:
    part, x = FeedForward(6, 11), torch.randn(2, 3, 6)
    hidden = gelu(x @ part.up_proj.weight.T + part.up_proj.bias)
    expected = hidden @ part.down_proj.weight.T + part.down_proj.bias
    torch.testing.assert_close(part(x), expected, atol=1e-5, rtol=1e-5)


def test_gated_feed_forward_is_its_equation() -> None:
    part, x = GatedFeedForward(6, 11), torch.randn(2, 3, 6)
    hidden = silu(x @ part.gate_proj.weight.T) * (x @ part.up_proj.weight.T)
    torch.testing.assert_close(part(x), hidden @ part.down_proj.weight.T, atol=1e-5, rtol=1e-5)


def test_each_token_is_treated_alone() -> None:
    part, x = GatedFeedForward(6, 11), torch.randn(2, 3, 6)
    torch.testing.assert_close(part(x)[:, 1:2], part(x[:, 1:2]), atol=1e-6, rtol=1e-5)
