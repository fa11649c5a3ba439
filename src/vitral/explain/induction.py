"""Induction: how much a head attends to the token that followed the same token last time.

After "… A B … A", such a head attends to B, which the model may then predict: the simplest circuit
by which a model learns from its own context.
"""

from collections.abc import Sequence

from torch import Tensor

from vitral.explain.measure import measure
from vitral.explain.repetition import mean_of_cells
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.token import Token


@measure(
    one_text=True,
    along_text=True,
    source="Olsson et al. 2022, arXiv:2209.11895, prefix matching score",
    cost="O(T·D): one cell for each repeated token",
)
def induction(record: AttentionRecord, tokens: Sequence[Token]) -> Tensor:
    """Mean of p[t, e(t) + 1] over the tokens t that stood before, the last time at e(t): [H].

    On a random sequence of length n, repeated once, e(t) + 1 = t − n + 1. NaN if no token stands
    twice.
    """
    return mean_of_cells(record, tokens, 1)
