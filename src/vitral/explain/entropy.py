"""Entropy: how evenly a head spreads its attention over the visible tokens."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vitral.explain.measure import mean_over, measure
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.token import Token


@measure(
    source="Clark et al. 2019, arXiv:1906.04341, section 3.3 (normalised by the allowed keys)",
    cost="O(T); the sums are made in the pass over the pattern",
)
def entropy(record: AttentionRecord, tokens: Sequence[Token]) -> Tensor:
    """Mean over queries t of −Σ_s p_ts ln p_ts / ln n_t, where n_t keys may be seen: [H].

    0 for one token only, 1 for uniform attention to all visible tokens, however many. Queries with
    no choice (n_t < 2) are left out. Where a learned sink takes a share of the row, the entropy
    is that of the rest: for p = m·q, H(q) = H(p)/m + ln m.
    """
    rows = record.statistics
    spread, choice = rows.entropy, rows.allowed > 1
    sinks = getattr(record, "sinks", None)
    if sinks is not None:
        mass = 1 - (sinks[:, None] - record.lse).exp().cpu()
        spread = spread / mass + mass.log()
    most = torch.log(rows.allowed.clamp(min=2).float())
    return mean_over(spread / most, choice).clamp(0, 1)
