import pytest
import torch

from vitral.nn.attention import Attention
from vitral.nn.block import PostNormBlock, PreNormBlock
from vitral.nn.cache import KeyValueCache
from vitral.nn.norms import LayerNorm


def written_out(part: Attention, x: torch.Tensor) -> torch.Tensor:
    """One head, one query, one key at a time."""
    T, D = x.shape[1], part.head_size
    share = part.num_heads // part.num_key_value_heads
    out = torch.zeros(x.shape[0], T, part.num_heads * D)
    for b in range(x.shape[0]):
        q, k, v = (proj(x[b]) for proj in (part.q_proj, part.k_proj, part.v_proj))
        for h in range(part.num_heads):
            own = slice(h * D, (h + 1) * D)
            kv = slice(h // share * D, (h // share + 1) * D)
            for t in range(T):
                last = t + 1 if part.causal else T
                scores = torch.stack([q[t, own] @ k[s, kv] / D**0.5 for s in range(last)])
                out[b, t, own] = scores.softmax(0) @ v[:last, kv]
    return part.o_proj(out)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("num_key_value_heads", [1, 2, 6])
def test_attention_is_its_equation(causal: bool, num_key_value_heads: int) -> None:
    torch.manual_seed(0)
    part = Attention(
        12, 6, num_key_value_heads=num_key_value_heads, head_size=3, causal=causal, layer_idx=0
    )
    x = torch.randn(2, 5, 12)
    with torch.no_grad():
        torch.testing.assert_close(part(x), written_out(part, x), atol=1e-5, rtol=1e-5)


def test_a_cache_grows_and_its_rows_can_be_moved() -> None:
    cache = KeyValueCache(num_layers=2)
    assert cache.length == 0
    first, second = torch.randn(2, 1, 3, 4), torch.randn(2, 1, 1, 4)
    cache.append(0, first, first)
    keys, values = cache.append(0, second, second)
    assert torch.equal(keys, torch.cat((first, second), dim=2))
    assert torch.equal(values, keys)
    assert cache.length == 4
    cache.reorder(torch.tensor([1, 1, 0]))
    assert torch.equal(cache.keys[0], keys[[1, 1, 0]])


def test_where_the_norm_stands() -> None:
    torch.manual_seed(0)
    parts = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4), LayerNorm(4), LayerNorm(4)

    class Alone(torch.nn.Module):
        """In place of attention: what it does is not at stake here."""

        def forward(self, x: torch.Tensor, mask: None = None) -> torch.Tensor:
            return parts[0](x)

    x = torch.randn(1, 3, 4)
    pre = PreNormBlock(Alone(), parts[1], parts[2], parts[3])(x)
    middle = x + parts[0](parts[2](x))
    torch.testing.assert_close(pre, middle + parts[1](parts[3](middle)))
    post = PostNormBlock(Alone(), parts[1], parts[2], parts[3])(x)
    middle = parts[2](x + parts[0](x))
    torch.testing.assert_close(post, parts[3](middle + parts[1](middle)))
