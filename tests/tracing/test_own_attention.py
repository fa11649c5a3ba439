"""PyTorch's own attention modules, and models that call its kernel themselves."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import vitral

T, S, C, H = 6, 4, 16, 4


def weights_of(attention: nn.MultiheadAttention, *args: Any, **kwargs: Any) -> Tensor:
    with torch.no_grad():
        found = attention(*args, **kwargs, need_weights=True, average_attn_weights=False)[1]
    return found if found.dim() == 4 else found[None]


def attention_module(**kind: Any) -> nn.MultiheadAttention:
    torch.manual_seed(0)
    module = nn.MultiheadAttention(C, H, **kind).eval()
    with torch.no_grad():
        for each in module.parameters():
            each.normal_(std=0.4)
    return module


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("kind", [{}, {"bias": False}, {"kdim": 8, "vdim": 12}])
def test_cross_attention_of_a_plain_module(batch_first: bool, kind: dict[str, Any]) -> None:
    module = attention_module(batch_first=batch_first, **kind)
    query = torch.randn(2, T, C)
    key, value = torch.randn(2, S, kind.get("kdim", C)), torch.randn(2, S, kind.get("vdim", C))
    padding = torch.tensor([[False] * S, [False] * (S - 1) + [True]])
    inputs = [each if batch_first else each.transpose(0, 1) for each in (query, key, value)]
    named = dict(zip(("query", "key", "value"), inputs, strict=True))
    traces = vitral.load(module).trace(**named, key_padding_mask=padding)
    expected = weights_of(module, *inputs, key_padding_mask=padding)
    for trace, weights in zip(traces, expected, strict=True):
        assert trace.exactness == "exact"
        torch.testing.assert_close(trace["layers.0.attention.pattern"], weights, atol=1e-5, rtol=0)


@pytest.mark.parametrize("boolean", [True, False])
def test_masks_and_keys_of_the_modules_own(boolean: bool) -> None:
    module = attention_module(batch_first=True, add_bias_kv=True, add_zero_attn=True)
    x = torch.randn(1, T, C)
    mask = torch.ones(T, T, dtype=torch.bool).triu(1)
    if not boolean:
        mask = torch.randn(T, T).masked_fill(mask, float("-inf"))
    trace = vitral.load(module).trace(query=x, key=x, value=x, attn_mask=mask)
    expected = weights_of(module, x, x, x, attn_mask=mask)[0]
    torch.testing.assert_close(trace["layers.0.attention.pattern"], expected, atol=1e-5, rtol=0)
    assert expected.shape == (H, T, T + 2)


@pytest.mark.parametrize("norm_first", [True, False])
def test_an_encoder(norm_first: bool) -> None:
    torch.manual_seed(1)
    layer = nn.TransformerEncoderLayer(C, H, 24, norm_first=norm_first, batch_first=True)
    module = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False).eval()
    x = torch.randn(1, T, C)
    with torch.no_grad():
        untraced = module(x)
    trace = vitral.load(module).trace(src=x)
    assert trace.num_layers == 3
    torch.testing.assert_close(trace["output"], untraced[0], atol=1e-5, rtol=1e-5)
    for number in range(3):
        start = f"layers.{number}"
        read = trace[f"{start}.residual.pre"][None]
        one = module.layers[number]
        with torch.no_grad():
            read = one.norm1(read) if norm_first else read
        expected = weights_of(one.self_attn, read, read, read)[0]
        torch.testing.assert_close(trace[f"{start}.attention.pattern"], expected, atol=1e-5, rtol=0)
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize("size", [1, 2, T])
def test_tokens_before_the_batch(size: int) -> None:
    """PyTorch's default shape [T, B, C] leaves the traces that [B, T, C] does."""
    torch.manual_seed(4)
    first = nn.TransformerEncoderLayer(C, H, 24).eval()
    second = nn.TransformerEncoderLayer(C, H, 24, batch_first=True).eval()
    second.load_state_dict(first.state_dict())
    x = torch.randn(size, T, C)
    given = [
        vitral.load(layer).trace(src=each)
        for layer, each in ((first, x.transpose(0, 1)), (second, x))
    ]
    one, other = ([each] if size == 1 else each for each in given)
    assert len(one) == len(other) == size
    for left, right in zip(one, other, strict=True):
        assert left.addresses() == right.addresses()
        for address in left.addresses():
            torch.testing.assert_close(left[address], right[address], atol=1e-5, rtol=1e-5)


def test_an_encoder_and_decoder() -> None:
    torch.manual_seed(2)
    module = nn.Transformer(C, H, 2, 2, 24, batch_first=True).eval()
    mask = module.generate_square_subsequent_mask(T)
    trace = vitral.load(module).trace(
        src=torch.randn(1, S, C), tgt=torch.randn(1, T, C), tgt_mask=mask
    )
    assert trace.parts == ["encoder", "decoder", "cross"]
    assert trace.attention(1, 0, "encoder").shape == (S, S)
    assert trace.attention(1, 0, "cross").shape == (T, S)
    assert trace.attention(1, 0, "decoder").triu(1).sum() == 0


class _CallsTheKernel(nn.Module):
    """As in nanoGPT: the kernel is asked for by name."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Linear(C, 3 * C)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (each.unflatten(2, (H, -1)).transpose(1, 2) for each in self.maps(x).chunk(3, 2))
        return F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)


class _SelfAttention(_CallsTheKernel):
    pass


def test_a_module_that_calls_the_kernel() -> None:
    torch.manual_seed(3)
    module = _SelfAttention()
    x = torch.randn(1, T, C)
    trace = vitral.load(module).trace(x=x)
    q, k, _ = module.maps(x).chunk(3, 2)
    q, k = (each.unflatten(2, (H, -1)).transpose(1, 2) for each in (q, k))
    future = torch.ones(T, T, dtype=torch.bool).triu(1)
    score = (q @ k.transpose(-1, -2) / 2).masked_fill(future, float("-inf"))
    pattern = trace["layers.0.attention.pattern"]
    torch.testing.assert_close(pattern, score.softmax(-1)[0].detach(), atol=1e-5, rtol=0)
