"""Attention to a memory, with and without a cache."""

import torch

from vitral.nn.cross_attention import CrossAttention, TranslationCache
from vitral.nn.scaled_dot_product import explicit_attention


@torch.no_grad()
def test_it_is_the_equation_and_a_cache_changes_nothing() -> None:
    torch.manual_seed(0)
    attention = CrossAttention(12, 3, layer_idx=0)
    x, memory = torch.randn(2, 4, 12), torch.randn(2, 5, 12)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]).bool()[:, None, None]

    def split(y: torch.Tensor) -> torch.Tensor:
        return y.view(2, -1, 3, 4).transpose(1, 2)

    q, k, v = attention.q_proj(x), attention.k_proj(memory), attention.v_proj(memory)
    expected, _ = explicit_attention(split(q), split(k), split(v), mask)
    expected = attention.o_proj(expected.flatten(2))
    torch.testing.assert_close(attention(x, memory, mask), expected, atol=1e-6, rtol=1e-5)
    cache = TranslationCache(1)
    # What was read is taken from the cache: another memory is not looked at any more.
    given = (memory, torch.zeros_like(memory))
    pieces = [
        attention(x[:, two : two + 2], each, mask, cache)
        for two, each in zip((0, 2), given, strict=True)
    ]
    torch.testing.assert_close(torch.cat(pieces, 1), expected, atol=1e-6, rtol=1e-5)


def test_rows_of_a_cache_move_about() -> None:
    cache = TranslationCache(2)
    cache.append(0, torch.zeros(2, 3, 1, 4), torch.zeros(2, 3, 1, 4))
    cache.source[0] = (torch.arange(2.0).view(2, 1, 1, 1), torch.arange(2.0).view(2, 1, 1, 1))
    cache.memory = torch.arange(2.0).view(2, 1, 1)
    cache.reorder(torch.tensor([1, 1, 0]))
    assert cache.source[0][1].flatten().tolist() == [1, 1, 0]
    assert cache.source[1] is None
    assert cache.memory.flatten().tolist() == [1, 1, 0]
    assert cache.keys[0].shape[0] == 3
