"""Multi-head attention: the part in which tokens look at one another.

Each head turns every token's vector into a query ("what am I looking for?"), a key ("what do I
offer?") and a value ("what do I pass on?"), weights all values by how well query and key
match, and the heads' results are mixed back into one vector (Vaswani et al. 2017, section 3.2).

*Grouped queries* (Ainslie et al. 2023, https://arxiv.org/abs/2305.13245): several query heads
share one key–value head, so the cache shrinks by their ratio. With as many key–value heads as
query heads this is the original form.

Shapes: B batch, T queries, S keys, H query heads, K key–value heads, D head size, C width.
"""

from torch import Tensor, nn

from vitral.nn.cache import KeyValueCache
from vitral.nn.positions import RotaryPositions
from vitral.nn.scaled_dot_product import scaled_dot_product_attention


class Attention(nn.Module):
    """Self-attention with `num_heads` query heads; input and output [B, T, C].

    `causal` says that a token sees only itself and what came before; `layer_idx` is the layer's
    place in the model (the cache and the recorder ask for it). `dropout` is the share of
    attention weights that training leaves out.
    """

    def __init__(
        self,
        width: int,
        num_heads: int,
        *,
        num_key_value_heads: int | None = None,
        head_size: int | None = None,
        causal: bool,
        layer_idx: int,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.num_key_value_heads = num_key_value_heads or num_heads
        self.head_size = head_size or width // num_heads
        self.causal = causal
        self.layer_idx = layer_idx
        self.dropout = dropout
        inner = self.num_heads * self.head_size
        inner_kv = self.num_key_value_heads * self.head_size
        self.q_proj = nn.Linear(width, inner, bias=bias)
        self.k_proj = nn.Linear(width, inner_kv, bias=bias)
        self.v_proj = nn.Linear(width, inner_kv, bias=bias)
        self.o_proj = nn.Linear(inner, width, bias=bias)

    def forward(
        self,
        x_BTC: Tensor,
        mask: Tensor | None = None,
        *,
        rotary: RotaryPositions | None = None,
        angles: tuple[Tensor, Tensor] | None = None,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """Attend. `mask` [B, 1, T, S] is true where a query sees a key; None means everywhere
        (everywhere before, if causal). `rotary` with `angles` turns queries and keys."""
        q_BHTD = self._split(self.q_proj(x_BTC), self.num_heads)
        k_BKSD = self._split(self.k_proj(x_BTC), self.num_key_value_heads)
        v_BKSD = self._split(self.v_proj(x_BTC), self.num_key_value_heads)
        if rotary is not None and angles is not None:
            q_BHTD, k_BKSD = rotary(q_BHTD, *angles), rotary(k_BKSD, *angles)
        if cache is not None:
            k_BKSD, v_BKSD = cache.append(self.layer_idx, k_BKSD, v_BKSD)
        out_BTHD, _ = scaled_dot_product_attention(
            self,
            q_BHTD,
            k_BKSD,
            v_BKSD,
            mask,
            scaling=self.head_size**-0.5,
            dropout=self.dropout if self.training else 0.0,
            # A single new token may see all that is cached: no mask is needed.
            is_causal=self.causal and mask is None and q_BHTD.shape[2] > 1,
        )
        y_BTC: Tensor = self.o_proj(out_BTHD.flatten(2))
        return y_BTC

    def _split(self, x_BTC: Tensor, num_heads: int) -> Tensor:
        B, T, _ = x_BTC.shape
        return x_BTC.view(B, T, num_heads, self.head_size).transpose(1, 2)
