"""Resting: how much of its attention a head gives to tokens that say nothing of the text.

A softmax has to sum to one. A head with nothing to do gives its weight to special tokens, in a
decoder to the first token, or to a sink that the model learned for it: it rests there.
`vitral.tracing.readings.resting` says which keys these are.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from vitral.explain.measure import mean_over, measure
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.readings.resting import resting_keys
from vitral.tracing.token import Token


@measure(
    source="Clark et al. 2019, arXiv:1906.04341, section 3.2; "
    "Xiao et al. 2023, arXiv:2309.17453, section 3.1",
    cost="O(T·D) for each resting key",
)
def resting(record: AttentionRecord, tokens: Sequence[Token]) -> Tensor:
    """Mean over queries t of Σ_{s resting} p[t, s], a learned sink counted in: [H].

    Queries that see nothing else (in a causal model the first) are left out.
    """
    rests = resting_keys(record, tokens)
    share = torch.zeros(record.num_heads, record.num_queries)
    for key in rests.nonzero().flatten().tolist():
        share += record.pattern(None, None, (key, key + 1))[..., 0].cpu()
    if record.sinks is not None:
        share += (record.sinks[:, None] - record.lse).exp().float().cpu()
    return mean_over(share, ~record.visibility.without(rests).blind_rows().cpu())
