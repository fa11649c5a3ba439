"""Duplicate token: how much a head attends to an earlier occurrence of the same token."""

from collections.abc import Sequence

from torch import Tensor

from vitral.explain.measure import measure
from vitral.explain.repetition import mean_of_cells
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.token import Token


@measure(
    one_text=True,
    along_text=True,
    source="Wang et al. 2022, arXiv:2211.00593, section 3.1 (duplicate token heads)",
    cost="O(T·D): one cell for each repeated token",
)
def duplicate(record: AttentionRecord, tokens: Sequence[Token]) -> Tensor:
    """Mean of p[t, e(t)] over the tokens t that stood before, the last time at e(t): [H].

    On a random sequence of length n, repeated once, e(t) = t − n. NaN if no token stands twice.
    """
    return mean_of_cells(record, tokens, 0)
