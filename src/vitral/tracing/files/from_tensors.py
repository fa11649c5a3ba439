"""Attention of tensors that come from elsewhere: queries, keys and values, or the patterns.

Shapes: L layers, H query heads, K key heads, T queries, S keys, D wide.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from vitral.errors import VitralError, check_range
from vitral.nn.scaled_dot_product import log_sum_exp
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.given_pattern import GivenPattern
from vitral.tracing.attention.visibility import Bias, Visibility
from vitral.tracing.token import Token

Layers = Tensor | Sequence[Tensor]

MOST_SCALING = 1e6


def tensors_read(
    queries: Layers | None,
    keys: Layers | None,
    values: Layers | None,
    *,
    patterns: Layers | None,
    mask: Tensor | None,
    bias: Tensor | None,
    causal: bool,
    scaling: float | None,
    tokens: Sequence[str] | None,
) -> tuple[list[Token], dict[str, AttentionRecord]]:
    """The tokens and the attentions, by address, of a trace; see `Trace.from_tensors`."""
    if scaling is not None:
        check_range("scaling", scaling, -MOST_SCALING, MOST_SCALING)
    projected = [each for each in (queries, keys, values) if each is not None]
    if (patterns is None) == (not projected):
        raise TypeError("give patterns, or queries, keys and values")
    records: list[AttentionRecord]
    if patterns is not None:
        if mask is not None or bias is not None or causal or scaling is not None:
            raise TypeError("patterns are final: mask, bias, causal and scaling go with queries")
        records = [GivenPattern.of(each, "given") for each in patterns]
    else:
        if queries is None or keys is None or values is None:
            raise TypeError("give queries, keys and values together")
        if not len(queries) == len(keys) == len(values):
            lengths = f"{len(queries)}, {len(keys)}, {len(values)}"
            raise VitralError("tensors_unfit", reason=lengths)
        records = [
            _record(query, key, value, mask, bias, causal, scaling)
            for query, key, value in zip(queries, keys, values, strict=True)
        ]
    if not records:
        raise VitralError("tensors_unfit", reason="0")
    num_tokens = records[0].num_queries
    names = [str(place) for place in range(num_tokens)] if tokens is None else list(tokens)
    if len(names) != num_tokens or any(each.num_queries != num_tokens for each in records):
        raise VitralError("tensors_unfit", reason=f"{len(names)} ≠ {num_tokens} tokens")
    attentions = {f"layers.{layer}.attention": each for layer, each in enumerate(records)}
    return [Token(place, text) for place, text in enumerate(names)], attentions


def _record(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    bias: Tensor | None,
    causal: bool,
    scaling: float | None,
) -> AttentionRecord:
    shapes = f"{tuple(query.shape)}, {tuple(key.shape)}, {tuple(value.shape)}"
    tensors = (query, key, value)
    if any(each.dim() != 3 or not each.is_floating_point() or not each.numel() for each in tensors):
        raise VitralError("tensors_unfit", reason=shapes)
    if not all(each.isfinite().all() for each in tensors):
        raise VitralError("tensors_not_finite")
    num_heads, num_queries, width = query.shape
    num_keys = key.shape[1]
    if key.shape[2] != width or value.shape[:2] != key.shape[:2] or num_heads % len(key):
        raise VitralError("tensors_unfit", reason=shapes)
    rule = Visibility.rule(num_queries, num_keys, causal=causal)
    allowed = rule.block((0, num_queries), (0, num_keys))[0]
    for given in (mask, bias):
        if given is not None and given.shape[-2:] != (num_queries, num_keys):
            raise VitralError("tensors_unfit", reason=f"{tuple(given.shape)} ≠ {shapes}")
    if mask is not None:
        allowed = allowed & mask.bool()
    allowed = allowed.reshape(-1, num_queries, num_keys)
    added = None
    if bias is not None:
        added = Bias.of_matrix(bias.detach().float().reshape(-1, num_queries, num_keys))
    if len(allowed) not in (1, num_heads) or (bias is not None and bias.dim() > 3):
        raise VitralError("tensors_unfit", reason=shapes)
    record = AttentionRecord(
        query.detach().clone(),
        key.detach().clone(),
        value.detach().clone(),
        torch.empty(0),
        width**-0.5 if scaling is None else float(scaling),
        Visibility.of_mask(allowed),
        added,
        uniform_when_blind=False,
    )
    every = (0, num_keys)
    lse = [log_sum_exp(record.scores(None, rows, every)) for rows in record.row_blocks(num_heads)]
    kept = {name: each for name, each in vars(record).items() if name != "lse"}
    return AttentionRecord(**kept, lse=torch.cat(lse, dim=-1))
