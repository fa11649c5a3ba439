"""Fixed positions: how much of its attention a head gives to the token before, after, itself, and
to the first of all. Four cells of each row, read off the row statistics; nothing of the text."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vitral.explain.measure import mean_over, measure, seeing
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.token import Token

_COST = "O(T·D): one cell a row"
_POSITIONAL = "Voita et al. 2019, arXiv:1905.09418, on positional heads"


@measure(one_text=True, along_text=True, source=_POSITIONAL, cost=_COST)
def previous(record: AttentionRecord, tokens: Sequence[Token]) -> Tensor:
    """Mean over queries t of p[t, t − 1]: [H].

    The first token has none before it and is left out.
    """
    counted = seeing(record) & (_places(record) > 0)
    return mean_over(record.statistics.previous, counted)


@measure(one_text=True, along_text=True, source=_POSITIONAL, cost=_COST)
def next(record: AttentionRecord, tokens: Sequence[Token]) -> Tensor:
    """Mean over queries t of p[t, t + 1]: [H].

    The last token has none after it and is left out. In a causal model it is always 0.
    """
    counted = seeing(record) & (_places(record) < record.num_keys - 1)
    return mean_over(record.statistics.next, counted)


@measure(one_text=True, source="Clark et al. 2019, arXiv:1906.04341, section 3.1", cost=_COST)
def same(record: AttentionRecord, tokens: Sequence[Token]) -> Tensor:
    """Mean over queries t of p[t, t]: [H]."""
    return mean_over(record.statistics.own, seeing(record))


@measure(
    source="Xiao et al. 2023, arXiv:2309.17453, section 3.1 (attention sinks)",
    cost=_COST,
)
def first(record: AttentionRecord, tokens: Sequence[Token]) -> Tensor:
    """Mean over queries t > 0 of p[t, 0]: [H].

    The first query is left out: in a causal model it sees no other token.
    """
    counted = seeing(record) & (torch.arange(record.num_queries) > 0)
    return mean_over(record.statistics.first, counted)


def _places(record: AttentionRecord) -> Tensor:
    """Where each query stands among the keys [T]: the last query at the last key."""
    return torch.arange(record.num_queries) + max(0, record.num_keys - record.num_queries)
