"""Where heads rest: which keys they are, and an attention without them.

Resting keys are special tokens ([CLS], [SEP], <s> …) and, where no token sees a later one, the
first token: a softmax has to give its weight to something, and models learn to give it there
when a head has nothing to do (Clark et al. 2019, arXiv:1906.04341, section 3.2; Xiao et al. 2023,
arXiv:2309.17453, section 3.1).

An attention without some keys is exact: with the log-sum-exp taken over the other keys alone,

    p'[t, s] = exp(q_t · k_s · scaling + bias[t, s] − lse'[t]) = p[t, s] / Σ_{r kept} p[t, r]

so nothing is divided by a small difference, and everything that reads a record reads this one.

Shapes: H heads, T queries, S keys.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vitral.nn.scaled_dot_product import log_sum_exp
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.visibility import Visibility
from vitral.tracing.token import Token

if TYPE_CHECKING:
    from vitral.tracing.trace import Trace


def resting_keys(record: AttentionRecord, tokens: Sequence[Token]) -> Tensor:
    """Which keys heads rest at: bool [S]. `tokens` are those attended to; where they are not one
    for each key, no special ones are known."""
    rests = torch.zeros(record.num_keys, dtype=torch.bool)
    if len(tokens) == record.num_keys:
        rests |= torch.tensor([token.special for token in tokens])
    if record.visibility.is_causal:
        rests[0] = True
    return rests


def resting_of(trace: "Trace", part: str | None = None) -> Tensor:
    """Which keys of a part rest: bool [S], those of its first layer with attention."""
    return resting_keys(next(iter(trace.layers(part).values())), trace.key_tokens(part))


def without_keys(
    record: AttentionRecord, left_out: Tensor, seen: dict[int, Visibility]
) -> AttentionRecord:
    """The record without the keys `left_out` [S], its rows scaled to one. Of an edited record
    use `ReadRecord`.

    `seen` keeps the rules made so far, which layers share, by the id of the former one.
    """
    rule = seen.get(id(record.visibility))
    if rule is None:
        rule = record.visibility.without(left_out)
        seen[id(record.visibility)] = rule
    kept = replace(record, visibility=rule, uniform_when_blind=False, sinks=None)
    every = (0, record.num_keys)
    rows = record.row_blocks(record.num_heads)
    lse = torch.cat([log_sum_exp(kept.scores(None, some, every)) for some in rows], dim=-1)
    return replace(kept, lse=lse)
