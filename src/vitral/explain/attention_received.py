"""Attention received: which tokens the others attend to."""

from collections.abc import Sequence

from torch import Tensor

from vitral.errors import VitralError
from vitral.explain.measure import measure
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.parts import stacked
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace


@measure(
    source="Vaswani et al. 2017, arXiv:1706.03762, equation 1: the pattern's column sums",
    cost="O(S); the sums are made in the pass over the pattern",
)
def hub(record: AttentionRecord, tokens: Sequence[Token]) -> Tensor:
    """The share of all attention that the most looked-at token receives: max_s r_s: [H].

    1 if all attend to one token; at least 1/S, if attention is uniform.
    """
    return _shares(record).amax(-1)


def received(trace: Trace, part: str | None = None) -> Tensor:
    """What share of each head's attention each token receives: float32 [layers, heads, keys].

        r_s = Σ_t p_ts / Σ_t Σ_s p_ts

    Sums to one over the keys; NaN where a layer has no attention. In a causal model early tokens
    are seen by more queries, and receive more for that alone. Raises VitralError `part_unknown`,
    and `heads_differ` if not all layers have as many heads.
    """
    records = trace.layers(part)
    if len({(record.num_heads, record.num_keys) for record in records.values()}) > 1:
        raise VitralError("heads_differ", model=trace.model)
    shares = {layer: _shares(record) for layer, record in records.items()}
    return stacked(shares, trace.num_blocks(part))


def _shares(record: AttentionRecord) -> Tensor:
    sums = record.statistics.received
    return sums / sums.sum(-1, keepdim=True)
