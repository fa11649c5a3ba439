"""Next token: how much of its attention a head gives to the token after."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vitral.explain.measure import mean_over, measure, seeing
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.token import Token


@measure(
    one_text=True,
    source="Voita et al. 2019, arXiv:1905.09418, on positional heads",
    cost="O(T·D): one cell a row",
)
def next(record: AttentionRecord, tokens: Sequence[Token]) -> Tensor:
    """Mean over queries t of p[t, t + 1]: [H].

    The last token has none after it and is left out. In a causal model it is always 0.
    """
    place = torch.arange(record.num_queries) + max(0, record.num_keys - record.num_queries)
    counted = seeing(record) & (place < record.num_keys - 1)
    return mean_over(record.statistics.next, counted)
