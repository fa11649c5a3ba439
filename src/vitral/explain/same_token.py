"""Same token: how much of its attention a token gives to itself."""

from collections.abc import Sequence

from torch import Tensor

from vitral.explain.measure import mean_over, measure, seeing
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.token import Token


@measure(
    one_text=True,
    source="Clark et al. 2019, arXiv:1906.04341, section 3.1",
    cost="O(T·D): one cell a row",
)
def same(record: AttentionRecord, tokens: Sequence[Token]) -> Tensor:
    """Mean over queries t of p[t, t]: [H]."""
    return mean_over(record.statistics.own, seeing(record))
