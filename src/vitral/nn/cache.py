"""The key–value cache: with it, each new token costs one step.

A decoder's keys and values of earlier tokens never change, because no token sees a later one.
So each attention layer keeps them, and a new token brings only its own.

Shapes: B batch, K key–value heads, T new tokens, S all tokens so far, D head size.
"""

import torch
from torch import Tensor


class KeyValueCache:
    """Keys and values of all layers, growing as a text is written.

    >>> cache = KeyValueCache(num_layers=2)
    >>> keys, values = cache.append(0, torch.zeros(1, 4, 3, 8), torch.zeros(1, 4, 3, 8))
    >>> cache.length
    3
    """

    def __init__(self, num_layers: int) -> None:
        self.keys: list[Tensor | None] = [None] * num_layers
        self.values: list[Tensor | None] = [None] * num_layers

    @property
    def length(self) -> int:
        """Number of tokens kept (those of the first layer, which is filled first)."""
        return 0 if self.keys[0] is None else self.keys[0].shape[2]

    def append(self, layer: int, k_BKTD: Tensor, v_BKTD: Tensor) -> tuple[Tensor, Tensor]:
        """Add a layer's new keys and values; return all of them, [B, K, S, D]."""
        keys, values = self.keys[layer], self.values[layer]
        k_BKSD = k_BKTD if keys is None else torch.cat((keys, k_BKTD), dim=2)
        v_BKSD = v_BKTD if values is None else torch.cat((values, v_BKTD), dim=2)
        self.keys[layer], self.values[layer] = k_BKSD, v_BKSD
        return k_BKSD, v_BKSD

    def reorder(self, rows: Tensor) -> None:
        """Keep the batch rows `rows` [B'], in that order (beam search moves texts about)."""
        self.keys = [None if k is None else k[rows] for k in self.keys]
        self.values = [None if v is None else v[rows] for v in self.values]
