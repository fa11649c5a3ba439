"""Mean distance: how far away a head attends."""

from collections.abc import Sequence

from torch import Tensor

from vitral.explain.measure import mean_over, measure, seeing
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.token import Token


@measure(
    high=None,
    unit="tokens",
    one_text=True,
    along_text=True,
    source="Vig & Belinkov 2019, arXiv:1906.04284, section 4.3",
    cost="O(T); the sums are made in the pass over the pattern",
)
def distance(record: AttentionRecord, tokens: Sequence[Token]) -> Tensor:
    """Mean over queries t of Σ_s p_ts · |t − s|, in tokens: [H].

    0 attends to itself, 1 to a neighbour; at most the text's length minus one. Vig & Belinkov
    weigh each sentence's sum over a corpus; here it is one text's.
    """
    return mean_over(record.statistics.distance, seeing(record))
