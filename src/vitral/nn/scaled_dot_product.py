"""Scaled dot-product attention: each query takes a weighted mean of all values.

    Attention(Q, K, V) = softmax(Q·Kᵀ / √D + bias) · V

(Vaswani et al. 2017, "Attention Is All You Need", equation 1; arXiv:1706.03762.) Row *t* of the
softmax is the *pattern* of token *t*: how its attention, which sums to one, is divided among
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
the `observer` sees each of its calls.

Two variations change the softmax itself. *Capped scores* (Gemma 2, arXiv:2408.00118, section 2)
pass through cap·tanh(score/cap) before the mask. *Sinks* (GPT-OSS, 2025; Xiao et al. 2023,
arXiv:2309.17453) add one learned logit per head to each row's denominator, for a key that no token
has: the row's weights then sum to less than one, and what is missing went nowhere. No fused
kernel computes either, so `blocked_attention` does, a few rows at a time.

    >>> q_BHTD = k_BKSD = v_BKSD = torch.eye(4)[None, None]
    >>> output_BTHD, _ = scaled_dot_product_attention(None, q_BHTD, k_BKSD, v_BKSD, is_causal=True)
    >>> output_BTHD.shape
    torch.Size([1, 4, 1, 4])

Shapes: B sequences, H query heads, K key heads (H a multiple of K), T queries, S keys, D wide.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitral.nn.attention_call import AttentionCall, editor, observer
from vitral.nn.cpu_attention import is_quicker_written_out, written_out_attention

CELLS_AT_ONCE = 1 << 22
"""Scores held in memory at one time (16 MiB as float32), whatever the length of the text."""


LOG2_E = 1.4426950408889634
"""log₂ e: exp(x) = 2 ** (x · log₂ e)."""


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
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attention by PyTorch's fused kernels, which never write the pattern down.

    `query` is [B, H, T, D]; `key` and `value` are [B, K, S, D], their grouped heads not
    repeated. `attention_mask` [B or 1, H or 1, T or 1, S] is boolean (True: visible) or
    additive. If it is given it is used alone and `is_causal` is ignored; without
    it, `is_causal` (default: that of `module`) lets query t see keys 0 … t. `position_bias`
    (T5) is added to the scores. `scaling` is 1/√D by default. `softcap` caps the scores, `s_aux`
    [H] are learned sinks; with either, `blocked_attention` computes instead of a fused kernel.
    Returns [B, T, H, D], and None where slower implementations return the pattern.

    Given the same input, the output is that of transformers' own "sdpa" bit for bit, except
    while training in bfloat16 on a CPU (see `cpu_attention`).
    """
    editing = None if torch.compiler.is_compiling() else editor.get()
    if editing is not None:
        query, key, value = editing.edit_inputs(module, query, key, value)
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
    softcap = None if softcap is None else float(softcap)
    causal_kernel = is_causal and position_bias is None
    watching = None if torch.compiler.is_compiling() else observer.get()
    lse: Tensor | None
    if softcap is not None or s_aux is not None:
        output_BHTD, lse = blocked_attention(
            query,
            key,
            value,
            combined,
            scaling=scale,
            is_causal=causal_kernel,
            softcap=softcap,
            sinks=s_aux,
            dropout=dropout,
        )
    else:
        attend: Callable[..., Any] = F.scaled_dot_product_attention
        if watching is not None:
            attend = _fused_with_log_sum_exp
        elif is_quicker_written_out(query, key, combined):
            attend = written_out_attention
        output = attend(
            query,
            _repeated(key, copies),
            _repeated(value, copies),
            attn_mask=combined,
            dropout_p=dropout,
            scale=scaling,
            is_causal=causal_kernel,
            enable_gqa=kernel_groups,
        )
        output_BHTD, lse = output if isinstance(output, tuple) else (output, None)
    if watching is not None or editing is not None:
        finite = combined is not None and combined.dtype != torch.bool
        sinks = None if s_aux is None else s_aux.detach().reshape(-1).float()
        call = AttentionCall(
            module,
            query,
            key,
            value,
            mask,
            bias,
            is_causal,
            scale,
            finite,
            softcap,
            sinks,
            lse,
        )
        if editing is not None:
            output_BHTD, call = editing.edit_output(call, output_BHTD)
        if watching is not None:
            watching.observe_attention(call)
    return output_BHTD.transpose(1, 2).contiguous(), None


def _fused_with_log_sum_exp(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    attn_mask: Tensor | None,
    dropout_p: float,
    scale: float | None,
    is_causal: bool,
    enable_gqa: bool,
) -> tuple[Tensor, Tensor | None]:
    """`F.scaled_dot_product_attention`, and the log-sum-exp [B, H, T] that its kernel found.

    The kernel for CPUs gives both; PyTorch does not return the second. It is called as
    PyTorch would call it, so the output is the same bit for bit. Where PyTorch would choose
    another kernel, that one runs, and the log-sum-exp is None.
    """
    choice = torch._fused_sdp_choice(
        query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
    )
    if query.device.type != "cpu" or choice != torch.nn.attention.SDPBackend.FLASH_ATTENTION.value:
        output = F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=attn_mask,
            dropout_p=dropout_p,
            scale=scale,
            is_causal=is_causal,
            enable_gqa=enable_gqa,
        )
        return output, None
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        blank = torch.zeros_like(attn_mask, dtype=query.dtype)
        attn_mask = blank.masked_fill_(~attn_mask, float("-inf"))
    output, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        query, key, value, dropout_p, is_causal, attn_mask=attn_mask, scale=scale
    )
    return output, lse


def blocked_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    scaling: float,
    is_causal: bool = False,
    softcap: float | None = None,
    sinks: Tensor | None = None,
    dropout: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Attention with capped scores or sinks, some rows at a time: memory grows with S, not T·S.

    `mask` [B or 1, H or 1, T or 1, S] is boolean or additive. Returns the output [B, H, T, D]
    and the log-sum-exp float32 [B, H, T], in which the sink is counted.
    """
    batch, num_heads, num_queries, _ = query.shape
    num_keys = key.shape[2]
    step = max(1, CELLS_AT_ONCE // (batch * num_heads * num_keys))
    value_BHSD = _repeated(value, num_heads // value.shape[1])
    outputs, denominators = [], []
    for first in range(0, num_queries, step):
        last = min(first + step, num_queries)
        seen = min(last, num_keys) if is_causal else num_keys
        score = scores(query[:, :, first:last], key[:, :, :seen], scaling, softcap)
        if is_causal:
            future = torch.ones(last - first, seen, dtype=torch.bool, device=query.device)
            score = score.masked_fill(future.triu(first + 1), float("-inf"))
        if mask is not None:
            rows = mask if mask.shape[2] == 1 else mask[:, :, first:last]
            boolean = rows.dtype == torch.bool
            score = score.masked_fill(~rows, float("-inf")) if boolean else score + rows
        lse = score.logsumexp(dim=-1)
        if sinks is not None:
            lse = torch.logaddexp(lse, sinks.float().reshape(-1, 1).expand_as(lse))
            weights = (score - lse[..., None]).exp()
        else:
            weights = score.softmax(dim=-1).nan_to_num(0.0)
        weights = F.dropout(weights, dropout).to(value.dtype)
        outputs.append(weights @ value_BHSD[:, :, :seen])
        denominators.append(lse)
    return torch.cat(outputs, dim=2), torch.cat(denominators, dim=2)


def explicit_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    bias: Tensor | None = None,
    scaling: float | None = None,
    is_causal: bool = False,
    softcap: float | None = None,
    sinks: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """The equation spelled out: the slow form, which the others are tested against.

    Arguments as `AttentionCall` has them. Returns the output [B, T, H, D] and the pattern
    [B, H, T, S]; a fully masked query has a row of zeros.
    """
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    score_BHTS = scores(query, key, scaling, softcap)
    if bias is not None:
        score_BHTS = score_BHTS + bias
    allowed = torch.ones(score_BHTS.shape[-2:], dtype=torch.bool, device=query.device)
    if is_causal:
        allowed = allowed.tril()
    if mask is not None:
        allowed = allowed & mask
    score_BHTS = score_BHTS.masked_fill(~allowed, float("-inf"))
    if sinks is None:
        pattern_BHTS = score_BHTS.softmax(dim=-1).nan_to_num(0.0)
    else:
        sink_BHT1 = sinks.float()[:, None, None].expand_as(score_BHTS[..., :1])
        pattern_BHTS = torch.cat([score_BHTS, sink_BHT1], dim=-1).softmax(dim=-1)[..., :-1]
    value_BHSD = _repeated(value, query.shape[1] // value.shape[1])
    return (pattern_BHTS.to(value.dtype) @ value_BHSD).transpose(1, 2), pattern_BHTS


def at_least_float32(values: Tensor) -> Tensor:
    """As float32, or as float64 where they are: nothing that is known is rounded away."""
    return values if values.dtype == torch.float64 else values.float()


def scores(query: Tensor, key: Tensor, scaling: float, softcap: float | None = None) -> Tensor:
    """q·k·scaling as float32 [..., H, T, S], for query [..., H, T, D] and key [..., K, S, D]; as
    float64 for such queries.

    With a `softcap`, cap·tanh(score/cap): almost the score where it is small, never past ±cap.

    Each key head serves a group of H/K neighbouring query heads (grouped queries: Ainslie et
    al. 2023, arXiv:2305.13245); it is not copied, its group's queries are laid end to end.
    """
    *batch, num_heads, num_queries, width = query.shape
    num_key_heads, num_keys = key.shape[-3], key.shape[-2]
    stacked = at_least_float32(query).reshape(*batch, num_key_heads, -1, width)
    with torch.autocast(query.device.type, enabled=False):  # rebuilt patterns are exact ones
        score = (stacked * scaling) @ key.to(stacked.dtype).transpose(-1, -2)
    if softcap is not None:
        score = (score / softcap).tanh() * softcap
    return score.reshape(*batch, num_heads, num_queries, num_keys)


def log_sum_exp(score_BHTS: Tensor, sinks: Tensor | None = None) -> Tensor:
    """The logarithm of the softmax's denominator [B, H, T]; +∞ for a fully masked row.

    The +∞ makes `pattern` give that row zeros instead of 0/0. `sinks` [H] are counted in.
    """
    lse_BHT = score_BHTS.logsumexp(dim=-1)
    if sinks is not None:
        lse_BHT = torch.logaddexp(lse_BHT, sinks[:, None].expand_as(lse_BHT))
    return lse_BHT.masked_fill(lse_BHT == float("-inf"), float("inf"))


def pattern(score_BHTS: Tensor, lse_BHT: Tensor) -> Tensor:
    """The softmax's rows from their scores and log-sum-exp: exp(score − lse).

    Works on any block of rows and columns, since each cell needs its own score and its row's
    lse only. Cells that may not be looked at have the score −∞. The scores are overwritten: a
    second block of their size would cost as much time as the arithmetic.
    """
    # torch.exp is many times slower where its result is nearly nothing, torch.exp2 is not.
    return score_BHTS.sub_(lse_BHT[..., None]).mul_(LOG2_E).exp2_()


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
    """One additive mask from a position bias and all masks.

    Hidden cells get the smallest finite number, as in transformers, not −∞: a fully masked query
    then attends to all keys evenly.
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
