"""One attention that is computed in pieces: several sequences packed end to end.

Some image models concatenate the patches of all images and compute the attention of each image
separately, one call after another. A token of one piece cannot attend to another piece, so
together they are one attention with a block-diagonal mask.
"""

from dataclasses import replace

import torch
from torch import Tensor

from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.visibility import Bias, Visibility


def can_be_joined(before: list[AttentionRecord], after: list[AttentionRecord]) -> bool:
    """Whether the second can be the next piece of the first: they differ only in length."""
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


def windows_joined(records: list[AttentionRecord], num_sequences: int) -> list[AttentionRecord]:
    """One record per sequence, if attention was computed in windows (Swin) or alternately over
    time and space (TimeSformer): the windows of a sequence are neighbours in the batch.

    Tokens come in the order of the windows.
    """
    size = len(records) // num_sequences
    return [_together(records[first : first + size]) for first in range(0, len(records), size)]


def _together(records: list[AttentionRecord]) -> AttentionRecord:
    mask, bias = _matrix(records[0]), _bias(records[0])
    for one in records[1:]:
        mask, bias = _of_heads(mask, _matrix(one)), _of_heads(bias, _bias(one))
    return replace(
        records[0],
        query=torch.cat([each.query for each in records], dim=1),
        key=torch.cat([each.key for each in records], dim=1),
        value=torch.cat([each.value for each in records], dim=1),
        lse=torch.cat([each.lse for each in records], dim=1),
        visibility=Visibility.of_mask(mask.bool()),
        bias=Bias.of_matrix(bias),
    )


def _bias(record: AttentionRecord) -> Tensor:
    rows, columns = (0, record.num_queries), (0, record.num_keys)
    if record.bias is None:
        return torch.zeros(1, rows[1], columns[1])
    return record.bias.block(rows, columns).float().expand(-1, rows[1], -1).cpu()


def _of_heads(first: Tensor, second: Tensor) -> Tensor:
    """Two matrices [L, T, S] as the diagonal blocks of one."""
    heads = max(len(first), len(second))
    return torch.stack(
        [
            _block_diagonal(*(each[head if len(each) > 1 else 0] for each in (first, second)))
            for head in range(heads)
        ]
    )


def _block_diagonal(first: Tensor, second: Tensor) -> Tensor:
    rows, columns = first.shape
    together = first.new_zeros(rows + len(second), columns + second.shape[1])
    together[:rows, :columns] = first
    together[rows:, columns:] = second
    return together


def _matrix(record: AttentionRecord) -> Tensor:
    return record.visibility.block((0, record.num_queries), (0, record.num_keys)).cpu()
