"""Scaled dot-product attention: every query asks every key how much of its value to take.

    Attention(Q, K, V) = softmax(Q·Kᵀ / √D + bias) · V

(Vaswani et al. 2017, "Attention Is All You Need", equation 1; arXiv:1706.03762.) Row *t* of the
softmax is the *pattern* of token *t*: how its attention, which sums to one, is shared out among
the tokens it may see. Division by √D keeps the scores' spread near one whatever the width, so
that the softmax neither freezes on one token nor spreads evenly over all.

The pattern has T·S numbers a head, and a fused kernel never writes them down. They need not be
kept to be seen: one number a row, the logarithm of the softmax's denominator,

    lse_t = log Σ_s exp(score_ts)        pattern_ts = exp(score_ts − lse_t)

gives any cell, row or block of it back (Dao et al. 2022, "FlashAttention"; arXiv:2205.14135).

Three functions compute attention here, from the clearest to the fastest: `explicit_attention`
spells the equation out, `log_sum_exp` with `pattern` rebuilds it from what a trace keeps, and
`scaled_dot_product_attention` is the one that models call. It has the signature that
transformers' `AttentionInterface` calls, so Vitral's models and Hugging Face's meet in it, and
whoever sets `observer` sees each of its calls.

    >>> q_BHTD = k_BKSD = v_BKSD = torch.eye(4)[None, None]
    >>> output_BTHD, _ = scaled_dot_product_attention(None, q_BHTD, k_BKSD, v_BKSD, is_causal=True)
    >>> output_BTHD.shape
    torch.Size([1, 4, 1, 4])

Shapes: B sequences, H query heads, K key heads (H a multiple of K), T queries, S keys, D wide.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitral.errors import VitralError


@dataclass(frozen=True)
class AttentionCall:
    """One call of the attention function, as its observer sees it.

    `query` is [B, H, T, D], `key` and `value` are [B, K, S, D]. `mask` is True where a query may
    look; `bias` is added to the scores. Either has shape [B or 1, H or 1, T or 1, S], or is
    None. `is_causal` says that query t sees keys 0 … t only (then `mask` is None).
    `uniform_when_blind` says what became of a query that may look nowhere: the mean of all
    values if True, zeros if False.
    """

    module: nn.Module | None
    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    bias: Tensor | None
    is_causal: bool
    scaling: float
    uniform_when_blind: bool


class AttentionObserver(Protocol):
    """Whoever wants to know of each attention that is computed."""

    def observe_attention(self, call: AttentionCall) -> None: ...


observer: ContextVar[AttentionObserver | None] = ContextVar("attention_observer", default=None)
"""Who watches the attention computed in this context (a thread, a task); None: nobody."""


def scaled_dot_product_attention(
    module: nn.Module | None,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None = None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    is_causal: bool | None = None,
    position_bias: Tensor | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attention by PyTorch's fused kernels, which never write the pattern down.

    `query` is [B, H, T, D]; `key` and `value` are [B, K, S, D], their grouped heads not
    repeated. `attention_mask` [B or 1, H or 1, T or 1, S] is boolean (True: may look) or
    additive. When it is given it is the whole truth and `is_causal` is not looked at; without
    it, `is_causal` (default: that of `module`) lets query t see keys 0 … t. `position_bias`
    (T5) is added to the scores. `scaling` is 1/√D by default. Returns [B, T, H, D], and None
    where slower implementations return the pattern.

    Given the same input, the output is that of transformers' own "sdpa" bit for bit.

    Raises VitralError `not_traceable` for the two variations of the softmax that no fused
    kernel computes: capped scores (Gemma 2) and learned sinks (GPT-OSS).
    """
    for variation in ("softcap", "s_aux"):
        if kwargs.get(variation) is not None:
            raise VitralError("not_traceable", model=type(module).__name__, reason=variation)
    num_queries, num_keys = query.shape[2], key.shape[2]
    scale = query.shape[-1] ** -0.5 if scaling is None else float(scaling)
    if is_causal is None:
        is_causal = bool(getattr(module, "is_causal", True))
    is_causal = is_causal and attention_mask is None and num_queries > 1
    if is_causal and num_keys > num_queries:  # a cache with room to spare: those keys are empty
        key, value = key[:, :, :num_queries], value[:, :, :num_queries]
        position_bias = None if position_bias is None else position_bias[..., :num_queries]

    mask, bias = _told_apart(attention_mask, position_bias)
    combined = attention_mask
    if position_bias is not None:
        combined = _with_bias(attention_mask, position_bias, is_causal, query, key)
    grouped = key.shape[1] < query.shape[1]
    # CUDA's kernels take grouped heads only without a mask; elsewhere the heads are repeated.
    kernel_groups = grouped and combined is None and key.shape[-1] == value.shape[-1] <= 256
    copies = query.shape[1] // key.shape[1] if grouped and not kernel_groups else 1
    output_BHTD = F.scaled_dot_product_attention(
        query,
        _repeated(key, copies),
        _repeated(value, copies),
        attn_mask=combined,
        dropout_p=dropout,
        scale=scaling,
        is_causal=is_causal and position_bias is None,
        enable_gqa=kernel_groups,
    )
    if not torch.compiler.is_compiling():
        watching = observer.get()
        if watching is not None:
            finite = combined is not None and combined.dtype != torch.bool
            watching.observe_attention(
                AttentionCall(module, query, key, value, mask, bias, is_causal, scale, finite)
            )
    return output_BHTD.transpose(1, 2).contiguous(), None


def explicit_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    bias: Tensor | None = None,
    scaling: float | None = None,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor]:
    """The equation spelled out: the slow form, which the others are tested against.

    Arguments as `AttentionCall` has them. Returns the output [B, T, H, D] and the pattern
    [B, H, T, S]; a query that may look nowhere has a row of zeros.
    """
    score_BHTS = scores(query, key, query.shape[-1] ** -0.5 if scaling is None else scaling)
    if bias is not None:
        score_BHTS = score_BHTS + bias
    allowed = torch.ones(score_BHTS.shape[-2:], dtype=torch.bool, device=query.device)
    if is_causal:
        allowed = allowed.tril()
    if mask is not None:
        allowed = allowed & mask
    score_BHTS = score_BHTS.masked_fill(~allowed, float("-inf"))
    pattern_BHTS = score_BHTS.softmax(dim=-1).nan_to_num(0.0)
    value_BHSD = _repeated(value, query.shape[1] // value.shape[1])
    return (pattern_BHTS.to(value.dtype) @ value_BHSD).transpose(1, 2), pattern_BHTS


def scores(query: Tensor, key: Tensor, scaling: float) -> Tensor:
    """q·k·scaling as float32 [..., H, T, S], for query [..., H, T, D] and key [..., K, S, D].

    Each key head serves a group of H/K neighbouring query heads (grouped queries: Ainslie et
    al. 2023, arXiv:2305.13245); it is not copied, its group's queries are laid end to end.
    """
    *batch, num_heads, num_queries, width = query.shape
    num_key_heads, num_keys = key.shape[-3], key.shape[-2]
    stacked = query.float().reshape(*batch, num_key_heads, -1, width)
    with torch.autocast(query.device.type, enabled=False):  # rebuilt patterns are exact ones
        score = (stacked * scaling) @ key.float().transpose(-1, -2)
    return score.reshape(*batch, num_heads, num_queries, num_keys)


def log_sum_exp(score_BHTS: Tensor) -> Tensor:
    """The logarithm of the softmax's denominator [B, H, T]; +∞ where a row may look nowhere.

    The +∞ makes `pattern` give that row zeros instead of 0/0.
    """
    lse_BHT = score_BHTS.logsumexp(dim=-1)
    return lse_BHT.masked_fill(lse_BHT == float("-inf"), float("inf"))


def pattern(score_BHTS: Tensor, lse_BHT: Tensor) -> Tensor:
    """The softmax's rows from their scores and log-sum-exp: exp(score − lse).

    Works on any block of rows and columns, since each cell needs its own score and its row's
    lse only. Cells that may not be looked at have the score −∞. The scores are overwritten: a
    second block of their size would cost as much time as the arithmetic.
    """
    return score_BHTS.sub_(lse_BHT[..., None]).exp_()


def _repeated(heads_BKSD: Tensor, copies: int) -> Tensor:
    """Each key head `copies` times in a row: [B, K·copies, S, D]."""
    return heads_BKSD if copies == 1 else heads_BKSD.repeat_interleave(copies, dim=1)


def _told_apart(
    attention_mask: Tensor | None, position_bias: Tensor | None
) -> tuple[Tensor | None, Tensor | None]:
    """Which cells may be looked at (boolean), and what is added to their scores.

    An additive mask says both at once: its huge negative numbers mean "may not".
    """
    if attention_mask is None or attention_mask.dtype == torch.bool:
        return attention_mask, position_bias
    allowed = attention_mask > torch.finfo(attention_mask.dtype).min / 2
    added = attention_mask.masked_fill(~allowed, 0.0)
    if position_bias is not None:
        return allowed, position_bias + added
    return allowed, added if bool(added.any()) else None


def _with_bias(
    attention_mask: Tensor | None,
    position_bias: Tensor,
    is_causal: bool,
    query: Tensor,
    key: Tensor,
) -> Tensor:
    """One additive mask out of a position bias and whatever else limits the view.

    Forbidden cells get the smallest finite number, as in transformers, not −∞: a query that
    may look nowhere then looks everywhere evenly.
    """
    smallest = torch.finfo(key.dtype).min
    if attention_mask is None and is_causal:
        shape = (query.shape[2], key.shape[2])
        attention_mask = torch.ones(shape, dtype=torch.bool, device=key.device).tril()
    if attention_mask is None:
        return position_bias.contiguous()
    if attention_mask.dtype == torch.bool:
        return torch.where(attention_mask, position_bias, smallest).contiguous()
    return (position_bias + attention_mask).contiguous()
