"""Masks: which keys a query may look at.

A mask is true where a query may look. Where the usual rule holds for the whole batch (all keys,
or all keys up to one's own place) no mask is built at all: None tells the fused kernel so, and
nothing of size T × S is kept.

Several short documents may be packed into one row, so that no place is lost to padding. A token
then sees its own document only, as if the others were not there.

Shapes: B batch, T queries (the new tokens), S keys (cached ones first).
"""

import torch
from torch import Tensor


def attention_mask(
    padding_BS: Tensor | None,
    num_queries: int,
    num_keys: int,
    *,
    causal: bool,
    device: torch.device,
    documents_BS: Tensor | None = None,
) -> Tensor | None:
    """The mask [B or 1, 1, T, S] of a batch, or None where the plain rule suffices.

    `padding_BS` is 1 for a real token and 0 for padding, None where there is no padding.
    `documents_BS` is the number of each key's document; the queries are the last T of the S.
    A query that may look nowhere (padding before the text) may look at everything instead: its
    result is never read, and a row of nothing would give NaN.
    """
    if padding_BS is not None and bool(padding_BS.all()):
        padding_BS = None
    continues = causal and 1 < num_queries < num_keys
    if padding_BS is None and documents_BS is None and not continues:
        return None
    mask = torch.ones(1, 1, num_queries, num_keys, dtype=torch.bool, device=device)
    if causal:
        mask = mask.tril(diagonal=num_keys - num_queries)
    if documents_BS is not None:
        documents_BT = documents_BS[:, -num_queries:]
        mask = mask & (documents_BT[:, None, :, None] == documents_BS[:, None, None, :])
    if padding_BS is not None:
        mask = mask & padding_BS[:, None, None, :].bool()
        mask = mask | ~mask.any(dim=-1, keepdim=True)
    return mask
