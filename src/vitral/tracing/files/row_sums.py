"""What the rows of an attention's weights add up to: the test of scores and log-sum-exp together.

A row adds up to one. Less is known of some models: those that give part of it to a sink, a row
that sees nothing, padding that was seen and then cut off.
"""

import torch
from torch import Tensor

from vitral.tracing.attention.attention_record import AttentionRecord

HALF = 0.02
"""How far from one a sum may be: half-precision queries and keys are read again in float32."""

MOST_CELLS = 1 << 22
"""Of an attention with more weights, rows at even distances are added up."""


def row_sums(record: AttentionRecord) -> Tensor:
    """The sums of the model's own rows, before any edit: float32 [H, rows]."""
    rows = max(1, MOST_CELLS // (record.num_heads * record.num_keys))
    step = -(-record.num_queries // rows)
    own = AttentionRecord.pattern
    sums = (
        [
            own(record, None, (row, min(row + 1, record.num_queries))).sum(-1)
            for row in range(0, record.num_queries, step)
        ]
        if step > 1
        else [own(record).sum(-1)]
    )
    return torch.cat(sums, dim=-1)


def rows_of(record: AttentionRecord) -> str:
    """ "whole" where every row adds up to one, else "less"."""
    return "whole" if bool(((row_sums(record) - 1).abs() < HALF).all()) else "less"
