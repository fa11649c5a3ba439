"""Attention in bfloat16 on a CPU, in training: written out, because that is faster.

PyTorch's fused kernel for CPUs converts bfloat16 into float32 inside and back. Its backward
pass is then three to five times slower than in float32, and a training in bfloat16 gains nothing
although the CPU multiplies such matrices twice as fast. The plain products do use that
speed. They write all patterns down, so this is for short texts (docs/log.md has the figures).

Shapes: B sequences, H query heads, K key heads, T queries, S keys, D wide.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

LONGEST = 512
"""How many keys the written-out form takes; at 1,024 the fused kernel is as quick."""


def is_quicker_written_out(query: Tensor, key: Tensor, mask: Tensor | None) -> bool:
    """Whether `written_out_attention` is faster for this attention."""
    return (
        query.dtype == torch.bfloat16
        and query.device.type == "cpu"
        and mask is None
        and key.shape[2] <= LONGEST
        and query.requires_grad
        and torch.is_grad_enabled()
    )


def written_out_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    attn_mask: None = None,
    dropout_p: float = 0.0,
    scale: float | None = None,
    is_causal: bool = False,
    enable_gqa: bool = False,
) -> Tensor:
    """What `F.scaled_dot_product_attention` gives for these arguments, [B, H, T, D], in plain
    products. `query` is [B, H, T, D]; `key` and `value` are [B, K, S, D], K = H unless
    `enable_gqa`."""
    B, H, T, D = query.shape
    S = key.shape[2]
    if enable_gqa:
        key, value = (x.repeat_interleave(H // x.shape[1], dim=1) for x in (key, value))
    unseen_TS = query.new_zeros((T, S))
    if is_causal:
        unseen_TS = torch.full_like(unseen_TS, float("-inf")).triu(1)
    scores = torch.baddbmm(
        unseen_TS,
        query.reshape(B * H, T, D),
        key.reshape(B * H, S, D).mT,
        alpha=D**-0.5 if scale is None else scale,
    )
    pattern = scores.softmax(dim=-1)
    if dropout_p > 0:
        pattern = F.dropout(pattern, dropout_p)
    return torch.bmm(pattern, value.reshape(B * H, S, -1)).view(B, H, T, -1)
