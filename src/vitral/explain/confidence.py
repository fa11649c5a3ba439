"""Confidence: how much of its attention a head gives to the token with the largest weight."""

from collections.abc import Sequence

from torch import Tensor

from vitral.explain.measure import mean_over, measure, seeing
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.token import Token


@measure(
    source="Voita et al. 2019, arXiv:1905.09418, section 4",
    cost="O(T); the maxima are found in the pass over the pattern",
)
def confidence(record: AttentionRecord, tokens: Sequence[Token]) -> Tensor:
    """Mean over queries t of max_s p_ts: [H].

    Voita et al. leave the end mark out; here every query counts.
    """
    return mean_over(record.statistics.largest, seeing(record))
