"""The blocks of the original Transformer (Vaswani et al. 2017, section 3.1).

Norms come last, and what a part adds is thinned by dropout first. An encoder's block looks at
its own text; a decoder's looks at its own text so far, then at the encoder's::

    x = norm(x + dropout(attention(x)))
    x = norm(x + dropout(cross_attention(x, memory)))      decoder only
    x = norm(x + dropout(mlp(x)))

Shapes: B batch, T tokens, S tokens of the source, C width.
"""

from torch import Tensor, nn

from vitral.nn.attention import Attention
from vitral.nn.cross_attention import CrossAttention, TranslationCache
from vitral.nn.feed_forward import FeedForward
from vitral.nn.norms import LayerNorm


class EncoderBlock(nn.Module):
    """Self-attention and feed-forward; input and output [B, T, C]."""

    causal = False

    def __init__(
        self,
        width: int,
        num_heads: int,
        inner: int,
        activation: str,
        epsilon: float,
        dropout: float,
        layer_idx: int,
    ) -> None:
        super().__init__()
        self.attention = Attention(width, num_heads, causal=self.causal, layer_idx=layer_idx)
        self.attention_norm = LayerNorm(width, epsilon)
        self.mlp = FeedForward(width, inner, activation)
        self.mlp_norm = LayerNorm(width, epsilon)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_BTC: Tensor, mask: Tensor | None = None) -> Tensor:
        x_BTC = self.attention_norm(x_BTC + self.dropout(self.attention(x_BTC, mask)))
        x_BTC = self.mlp_norm(x_BTC + self.dropout(self.mlp(x_BTC)))
        return x_BTC


class DecoderBlock(EncoderBlock):
    """The same with a look at the source between; no token sees a later one."""

    causal = True

    def __init__(
        self,
        width: int,
        num_heads: int,
        inner: int,
        activation: str,
        epsilon: float,
        dropout: float,
        layer_idx: int,
    ) -> None:
        super().__init__(width, num_heads, inner, activation, epsilon, dropout, layer_idx)
        self.cross_attention = CrossAttention(width, num_heads, layer_idx=layer_idx)
        self.cross_attention_norm = LayerNorm(width, epsilon)

    def forward(
        self,
        x_BTC: Tensor,
        mask: Tensor | None = None,
        memory_BSC: Tensor | None = None,
        memory_mask: Tensor | None = None,
        cache: TranslationCache | None = None,
    ) -> Tensor:
        """`mask` and `memory_mask` are true where a token sees another; see `nn.masks`."""
        assert memory_BSC is not None, "a decoder reads what an encoder left"
        own = self.attention(x_BTC, mask, cache=cache)
        x_BTC = self.attention_norm(x_BTC + self.dropout(own))
        found = self.cross_attention(x_BTC, memory_BSC, memory_mask, cache)
        x_BTC = self.cross_attention_norm(x_BTC + self.dropout(found))
        x_BTC = self.mlp_norm(x_BTC + self.dropout(self.mlp(x_BTC)))
        return x_BTC
