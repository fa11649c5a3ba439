"""Additive attention (Bahdanau, Cho & Bengio 2015, https://arxiv.org/abs/1409.0473): the first.

A translation network had to put the whole sentence into one vector before it wrote the
first word. Here the writer, before each word, looks at the reader's vectors again and takes a
mean of them, weighted by how well each fits the next word. The fit of a query q (the
writer's state) and a key k (a reader's vector) is computed by a small network of one layer::

    score(q, k_s) = v · tanh(W q + U k_s)          weights = softmax over s

It is called additive because q and k meet in a sum; `nn.multiplicative_attention` has them meet
in a product. U k_s is the same for every step, and is computed once for a sentence (`keys`).

    >>> attention = AdditiveAttention(8)
    >>> memory = torch.randn(2, 5, 8)
    >>> attention.scores(torch.randn(2, 3, 8), attention.keys(memory)).shape
    torch.Size([2, 3, 5])

Shapes: B batch, T queries, S keys, C width.
"""

import torch
from torch import Tensor, nn


class AdditiveAttention(nn.Module):
    """Scores of queries [B, T, C] against keys [B, S, C] by a small network."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query_proj = nn.Linear(width, width)
        self.key_proj = nn.Linear(width, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def keys(self, memory_BSC: Tensor) -> Tensor:
        """What of the memory does not depend on the query: U k_s, [B, S, C]."""
        k_BSC: Tensor = self.key_proj(memory_BSC)
        return k_BSC

    def scores(self, query_BTC: Tensor, keys_BSC: Tensor) -> Tensor:
        """[B, T, S]: T·S sums of width C stand in memory for it."""
        sums_BTSC = torch.tanh(self.query_proj(query_BTC)[:, :, None] + keys_BSC[:, None])
        scores_BTS: Tensor = self.score(sums_BTSC).squeeze(-1)
        return scores_BTS
