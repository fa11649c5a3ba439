"""Writing: how much a head adds to the stream of what it read in the text, beside its layer.

A weight says how large a share of a vector is taken, not how large the vector is. So shares are
multiplied by the sizes of what they are shares of, and what rests is left out:

    W_h = Σ_t Σ_{s not resting} α_hts · ‖f_h(x_s)‖        writes_h = W_h / max_g W_g

with f_h(x_s) the value through the head's part of the output projection (Kobayashi et al. 2020,
arXiv:2004.10102, sections 2.2 and 3, where heads that look at [SEP] are found to take almost
nothing from it). The sum over queries is what each key receives, so that no pattern is needed.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from vitral.explain.measure import measure
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.readings.resting import resting_keys
from vitral.tracing.token import Token


@measure(
    of_model=True,
    source="Kobayashi et al. 2020, arXiv:2004.10102, sections 2.2 and 3",
    cost="O(S·D·C) for the vectors of a head, and what each key receives",
)
def writes(record: AttentionRecord, tokens: Sequence[Token], sizes_HS: Tensor) -> Tensor:
    """W_h beside the largest of its layer: [H]. 1 is the head that writes most; all are 0 in a
    layer where nothing is written. NaN without the model, whose projection it needs."""
    kept_HS = sizes_HS * ~resting_keys(record, tokens)
    written_H = (record.statistics.received * kept_HS).sum(-1)
    most = written_H.max()
    return written_H / most if most != 0 else torch.zeros_like(written_H)
