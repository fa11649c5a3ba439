"""Attention of a decoder to its encoder (Vaswani et al. 2017, section 3.2.3).

Queries come from the answer, keys and values from the source, and every query may
look at all of it::

    q = W_q x_t        k, v = W_k m_s, W_v m_s        y_t = W_o · attention(q, k, v)

The source does not change while the answer is written, so its keys and values are computed
once and kept beside those of the answer's own tokens.

Shapes: B batch, T queries, S tokens of the source, H heads, D head size, C width.
"""

from torch import Tensor, nn

from vitral.nn.cache import KeyValueCache
from vitral.nn.scaled_dot_product import scaled_dot_product_attention


class TranslationCache(KeyValueCache):
    """The decoder's own keys and values, growing, and those of the source, which stay; and the
    `memory` [B, S, C] that these were made of, once the source was read."""

    def __init__(self, num_layers: int) -> None:
        super().__init__(num_layers)
        self.memory: Tensor | None = None
        self.source: list[tuple[Tensor, Tensor] | None] = [None] * num_layers

    def reorder(self, rows: Tensor) -> None:
        super().reorder(rows)
        self.memory = None if self.memory is None else self.memory[rows]
        self.source = [None if kv is None else (kv[0][rows], kv[1][rows]) for kv in self.source]


class CrossAttention(nn.Module):
    """Multi-head attention from x [B, T, C] to a memory [B, S, C]; output [B, T, C]."""

    is_causal = False

    def __init__(self, width: int, num_heads: int, *, layer_idx: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.head_size = width // num_heads
        self.layer_idx = layer_idx
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.o_proj = nn.Linear(width, width)

    def forward(
        self,
        x_BTC: Tensor,
        memory_BSC: Tensor,
        mask: Tensor | None = None,
        cache: TranslationCache | None = None,
    ) -> Tensor:
        """Look at the memory. `mask` [B, 1, T, S] is true where a query sees a key;
        None means everywhere."""
        q_BHTD = self._split(self.q_proj(x_BTC))
        kept = None if cache is None else cache.source[self.layer_idx]
        if kept is None:
            kept = self._split(self.k_proj(memory_BSC)), self._split(self.v_proj(memory_BSC))
            if cache is not None:
                cache.source[self.layer_idx] = kept
        out_BTHD, _ = scaled_dot_product_attention(
            self, q_BHTD, *kept, mask, scaling=self.head_size**-0.5, is_causal=False
        )
        y_BTC: Tensor = self.o_proj(out_BTHD.flatten(2))
        return y_BTC

    def _split(self, x_BTC: Tensor) -> Tensor:
        B, T, _ = x_BTC.shape
        return x_BTC.view(B, T, self.num_heads, self.head_size).transpose(1, 2)
