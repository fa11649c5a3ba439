"""Multiplicative attention (Luong, Pham & Manning 2015, https://arxiv.org/abs/1508.04025).

Query and key meet in a product, not in a sum as in `nn.additive_attention`; equation 8 of the
paper has two forms::

    dot       score(q, k_s) = q · k_s
    general   score(q, k_s) = q · W k_s

"dot" has no weights and requires that reader and writer use one space; "general" learns
the map W. One matrix product gives all scores of a sentence, which is why this form won:
the Transformer's is "general" with W = W_Qᵀ W_K in many heads, divided by √D.

    >>> MultiplicativeAttention(8, "dot").queries(torch.ones(1, 2, 8)).shape
    torch.Size([1, 2, 8])

Shapes: B batch, T queries, C width.
"""

from typing import Literal

from torch import Tensor, nn


class MultiplicativeAttention(nn.Module):
    """Makes queries that are scored by their product with the memory as it is."""

    def __init__(self, width: int, form: Literal["dot", "general"]) -> None:
        super().__init__()
        self.query_proj = nn.Linear(width, width, bias=False) if form == "general" else None

    def queries(self, query_BTC: Tensor) -> Tensor:
        """q, or q W, [B, T, C]: its product with k_s is the score."""
        if self.query_proj is None:
            return query_BTC
        q_BTC: Tensor = self.query_proj(query_BTC)
        return q_BTC
