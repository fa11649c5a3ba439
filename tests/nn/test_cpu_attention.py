"""Attention in bfloat16 while training equals the fused kernel's, and only then is used."""

from unittest.mock import patch

import pytest
import torch
from torch.nn import functional as F

from vitral.nn import cpu_attention, scaled_dot_product
from vitral.nn.cpu_attention import is_quicker_written_out, written_out_attention


def qkv(
    key_heads: int = 4, keys: int = 9, dtype: torch.dtype = torch.bfloat16
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    q = torch.randn(2, 4, 9, 8, dtype=dtype, requires_grad=True)
    k, v = (torch.randn(2, key_heads, keys, 8, dtype=dtype, requires_grad=True) for _ in range(2))
    return q, k, v


@pytest.mark.parametrize("is_causal", [True, False])
@pytest.mark.parametrize("key_heads", [4, 2])
def test_output_and_gradients_are_the_fused_kernels(is_causal: bool, key_heads: int) -> None:
    inputs = qkv(key_heads)
    exact = [x.detach().float().requires_grad_() for x in inputs]
    told = {"is_causal": is_causal, "scale": 0.3, "enable_gqa": key_heads < 4}
    output = written_out_attention(*inputs, **told)  # type: ignore[arg-type]
    expected = F.scaled_dot_product_attention(*exact, **told)  # type: ignore[arg-type]
    torch.testing.assert_close(output.float(), expected, atol=0.03, rtol=0.03)
    weights = torch.randn_like(expected)
    for found, right in zip(
        torch.autograd.grad((output.float() * weights).sum(), inputs),
        torch.autograd.grad((expected * weights).sum(), exact),
        strict=True,
    ):
        torch.testing.assert_close(found.float(), right, atol=0.06, rtol=0.06)


def test_it_equals_the_fused_kernel_closely_in_float32() -> None:
    inputs = qkv(dtype=torch.float32)
    found = written_out_attention(*inputs, is_causal=True)
    expected = F.scaled_dot_product_attention(*inputs, is_causal=True)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


def test_dropout_leaves_weights_out() -> None:
    q, k, v = qkv()
    whole = written_out_attention(q, k, torch.ones_like(v))
    dropped = written_out_attention(q, k, torch.ones_like(v), dropout_p=0.5)
    assert float((whole.detach() - 1).abs().max()) < 0.02
    assert float((dropped.detach() - 1).abs().max()) > 0.2


def test_it_is_for_training_in_bfloat16_on_short_texts() -> None:
    q, k, _ = qkv()
    assert is_quicker_written_out(q, k, None)
    assert not is_quicker_written_out(q, k, torch.ones(9, 9, dtype=torch.bool))
    assert not is_quicker_written_out(q.detach(), k, None)
    assert not is_quicker_written_out(q.float(), k, None)
    long_key = torch.empty(2, 4, cpu_attention.LONGEST + 1, 8, dtype=torch.bfloat16)
    assert not is_quicker_written_out(q, long_key, None)
    with torch.no_grad():
        assert not is_quicker_written_out(q, k, None)


def test_the_attention_function_uses_it_where_it_is_quicker() -> None:
    q, k, v = qkv()
    with patch.object(
        scaled_dot_product, "written_out_attention", wraps=written_out_attention
    ) as used:
        scaled_dot_product.scaled_dot_product_attention(None, q, k, v, is_causal=True)
        assert used.call_count == 1
        with torch.no_grad():
            scaled_dot_product.scaled_dot_product_attention(None, q, k, v, is_causal=True)
        assert used.call_count == 1
