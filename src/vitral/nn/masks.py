"""Masks: which keys a query can see.

A mask is true where a query sees a key. Where the usual rule holds for the whole batch (all keys,
or all keys up to one's own place) no mask is built at all: None tells the fused kernel so, and
nothing of size T × S is kept.

Several short documents may be packed into one row, so that no place is lost to padding. A token
then sees its own document only, as if the others were not there.

*Sliding windows* (Child et al. 2019, https://arxiv.org/abs/1904.10509; Beltagy et al. 2020,
https://arxiv.org/abs/2004.05150) let a query look only at the keys near it, so that a long text
costs no more a token than a short one. What is farther away comes through the layers above.

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
    window: int | None = None,
) -> Tensor | None:
    """The mask [B or 1, 1, T, S] of a batch, or None where the plain rule suffices.

    `padding_BS` is 1 for a real token and 0 for padding, None where there is no padding.
    `documents_BS` is the number of each key's document; the queries are the last T of the S.
    With a `window`, a query sees at most that many positions to each side of its own.
    A fully masked query (padding before the text) sees all keys instead: its
    result is never read, and a row of nothing would give NaN.
    """
    if padding_BS is not None and bool(padding_BS.all()):
        padding_BS = None
    if window is not None and window >= num_keys - 1:
        window = None
    continues = causal and 1 < num_queries < num_keys
    if padding_BS is None and documents_BS is None and window is None and not continues:
        return None
    mask = torch.ones(1, 1, num_queries, num_keys, dtype=torch.bool, device=device)
    if causal:
        mask = mask.tril(diagonal=num_keys - num_queries)
    if window is not None:
        places_S = torch.arange(num_keys, device=device)
        mask = mask & ((places_S[-num_queries:, None] - places_S).abs() <= window)
    if documents_BS is not None:
        documents_BT = documents_BS[:, -num_queries:]
        mask = mask & (documents_BT[:, None, :, None] == documents_BS[:, None, None, :])
    if padding_BS is not None:
        mask = mask & padding_BS[:, None, None, :].bool()
        mask = mask | ~mask.any(dim=-1, keepdim=True)
    return mask
