"""One attention that is computed in pieces: several sequences packed end to end.

Some image models lay the patches of all images in one row and compute the attention of each
image by itself, one call after another. A token of one piece sees none of another, so together
they are one attention whose mask is a block for each piece.
"""

from dataclasses import replace

import torch
from torch import Tensor

from vitral.tracing.attention_record import AttentionRecord
from vitral.tracing.visibility import Visibility


def can_be_joined(before: list[AttentionRecord], after: list[AttentionRecord]) -> bool:
    """Whether the second may be the next piece of the first: the same but for the length."""
    if len(before) != 1 or len(after) != 1:
        return False
    first, second = before[0], after[0]
    return (
        first.bias is None
        and second.bias is None
        and first.sinks is None
        and first.num_queries == first.num_keys
        and second.num_queries == second.num_keys
        and first.num_heads == second.num_heads
        and first.query.shape[2] == second.query.shape[2]
        and first.scaling == second.scaling
    )


def joined(before: list[AttentionRecord], after: list[AttentionRecord]) -> list[AttentionRecord]:
    """One record of both pieces, none of whose tokens sees the other piece."""
    first, second = before[0], after[0]
    blocks = [_matrix(first), _matrix(second)]
    together = torch.stack(
        [
            _block_diagonal(*[block[head if len(block) > 1 else 0] for block in blocks])
            for head in range(max(map(len, blocks)))
        ]
    ).bool()
    return [
        replace(
            first,
            query=torch.cat([first.query, second.query], dim=1),
            key=torch.cat([first.key, second.key], dim=1),
            value=torch.cat([first.value, second.value], dim=1),
            lse=torch.cat([first.lse, second.lse], dim=1),
            visibility=Visibility.of_mask(together),
        )
    ]


def _block_diagonal(first: Tensor, second: Tensor) -> Tensor:
    together = first.new_zeros(len(first) + len(second), len(first) + len(second))
    together[: len(first), : len(first)] = first
    together[len(first) :, len(first) :] = second
    return together


def _matrix(record: AttentionRecord) -> Tensor:
    return record.visibility.block((0, record.num_queries), (0, record.num_keys))
