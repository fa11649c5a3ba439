"""The block: attention, then feed-forward, each adding to the residual stream.

The residual stream is a token's vector on its way up. Every part reads it and *adds* its own
contribution, so gradients have a direct path down and a part may do nothing at no cost.

Where the normalisation stands makes two families (Xiong et al. 2020,
https://arxiv.org/abs/2002.04745)::

    pre-norm  (GPT-2, Llama)   x = x + attention(norm(x));   x = x + mlp(norm(x))
    post-norm (original, BERT) x = norm(x + attention(x));   x = norm(x + mlp(x))

Pre-norm leaves the stream itself untouched and trains more steadily.

In training, a block may *drop out* a share of the numbers that each part adds, chosen anew at
every step, and scale the others up to make good for it (Srivastava et al. 2014,
https://jmlr.org/papers/v15/srivastava14a.html): no part can then rely on another one's detail.

In Vitral's addresses the stream is `residual.pre` as it enters a block, `residual.mid` between
the two parts and `residual.post` as it leaves.
"""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F


class PreNormBlock(nn.Module):
    """A block that normalises what its parts read; input and output [B, T, C].

    `dropout` is the share of what each part adds that training leaves out.
    """

    def __init__(
        self,
        attention: nn.Module,
        mlp: nn.Module,
        attention_norm: nn.Module,
        mlp_norm: nn.Module,
        *,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.attention_norm = attention_norm
        self.attention = attention
        self.mlp_norm = mlp_norm
        self.mlp = mlp
        self.dropout = dropout

    def forward(self, x_BTC: Tensor, mask: Tensor | None = None, **attention: Any) -> Tensor:
        x_BTC = x_BTC + self._drop(self.attention(self.attention_norm(x_BTC), mask, **attention))
        x_BTC = x_BTC + self._drop(self.mlp(self.mlp_norm(x_BTC)))
        return x_BTC

    def _drop(self, added_BTC: Tensor) -> Tensor:
        return F.dropout(added_BTC, self.dropout, self.training)


class PostNormBlock(PreNormBlock):
    """A block that normalises what its parts leave; input and output [B, T, C]."""

    def forward(self, x_BTC: Tensor, mask: Tensor | None = None, **attention: Any) -> Tensor:
        x_BTC = self.attention_norm(x_BTC + self._drop(self.attention(x_BTC, mask, **attention)))
        x_BTC = self.mlp_norm(x_BTC + self._drop(self.mlp(x_BTC)))
        return x_BTC
