"""Attention rollout: the input tokens that each token's vector is mixed from, by attention alone.

A layer mixes a token with itself (the residual stream) and with the tokens that its heads, on
average, attend to; over several layers this is a product of matrices:

    Ã_l = (r·I + (1 − r)·mean_h A_l,h), rows made to sum to one        R_l = Ã_l · R_{l−1}

with r = ½, half for the residual stream (Abnar & Zuidema 2020, arXiv:2005.00928, section 3).
It ignores the size of the values and the feed-forward parts: a first approximation.

Only the requested rows are carried down through the layers, and patterns are computed a block at
a time, so memory grows with the text's length. Range: 0 to 1, rows sum to one. Cost: one pass
over all patterns, T² arithmetic per head, and as much again for each 8 or so requested rows.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.stopping import check_stop
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.trace import Trace


def rollout(
    trace: Trace,
    tokens: Sequence[int] | None = None,
    *,
    layer: int | None = None,
    part: str | None = None,
    residual: float = 0.5,
) -> Tensor:
    """What each input token contributes to some tokens: float32 [n, T], rows sum to one.

    `tokens` are the positions to start from, by default all; `layer` the one whose output is
    explained, by default the last. Raises VitralError `layer_out_of_range`, `part_unknown`,
    `token_out_of_range`, `measure_of_two_texts` for cross-attention, and `mixing_unknown` if a
    layer up to that one has no attention: it mixes tokens too (a convolution, a state space), and
    the trace does not record how.
    """
    records = records_up_to(trace, layer, part, "rollout")
    length = records[0].num_keys
    chosen = list(range(length)) if tokens is None else list(tokens)
    for token in chosen:
        check_token(token, length)
    mixed_nT = torch.nn.functional.one_hot(torch.tensor(chosen), length).float()
    for record in reversed(records):
        mixed_nT = _one_layer_down(record, mixed_nT, residual)
    return mixed_nT


def records_up_to(
    trace: Trace, layer: int | None, part: str | None, name: str
) -> list[AttentionRecord]:
    """The attentions from the first layer to `layer`, of a part with self-attention.

    Raises VitralError `layer_out_of_range`, `part_unknown`, `measure_of_two_texts`,
    `mixing_unknown`.
    """
    found, records, blocks = trace.part(part), trace.layers(part), trace.num_blocks(part)
    if any(record.num_queries != record.num_keys for record in records.values()) or found.is_cross:
        raise VitralError("measure_of_two_texts", measure=name, part=found.name)
    if layer is not None and not 0 <= layer < blocks:
        raise VitralError("layer_out_of_range", layer=layer, num_layers=blocks)
    missing = [number for number in range(blocks) if number not in records]
    if missing and (layer is None or layer >= missing[0]):
        known = {"layers": ", ".join(map(str, missing)), "first": missing[0]}
        raise VitralError("mixing_unknown", measure=name, model=trace.model, **known)
    return [record for number, record in records.items() if layer is None or number <= layer]


def check_token(token: int, length: int) -> None:
    """Raises VitralError `token_out_of_range`."""
    if not 0 <= token < length:
        raise VitralError("token_out_of_range", token=token, length=length)


def _one_layer_down(record: AttentionRecord, mixed_nT: Tensor, residual: float) -> Tensor:
    """R · Ã for rows R [n, T] of the layers above."""
    below_nT = torch.zeros_like(mixed_nT)
    for first, last in record.row_blocks(record.num_heads):
        check_stop()
        mean_RT = record.pattern(None, (first, last)).mean(0).cpu()
        total_R = residual + (1 - residual) * mean_RT.sum(-1)
        share_nR = mixed_nT[:, first:last] / total_R
        below_nT += (1 - residual) * share_nR @ mean_RT
        below_nT[:, first:last] += residual * share_nR
    return below_nT
