"""First token: how much attention goes to the first token, as in inactive heads."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vitral.explain.measure import mean_over, measure, seeing
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.token import Token


@measure(
    source="Xiao et al. 2023, arXiv:2309.17453, section 3.1 (attention sinks)",
    cost="O(T·D): one cell a row",
)
def first(record: AttentionRecord, tokens: Sequence[Token]) -> Tensor:
    """Mean over queries t > 0 of p[t, 0]: [H].

    The first query is left out: in a causal model it can look nowhere else.
    """
    counted = seeing(record) & (torch.arange(record.num_queries) > 0)
    return mean_over(record.statistics.first, counted)
