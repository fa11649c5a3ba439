"""Choosing the next token from a model's logits.

*Greedy* takes the likeliest. *Sampling* draws from the distribution, which a *temperature* τ
flattens (τ > 1) or sharpens (τ < 1): p ∝ exp(logit / τ); *top-k* draws among the k likeliest only.

Shapes: B batch, V vocabulary.
"""

import torch
from torch import Tensor


def choose(
    logits_BV: Tensor,
    *,
    temperature: float = 0.0,
    top_k: int | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The next token [B] of each text. A temperature of 0 is greedy."""
    if temperature == 0:
        return logits_BV.argmax(dim=-1)
    scaled = logits_BV.float() / temperature
    if top_k is not None and top_k < scaled.shape[-1]:
        smallest_kept = scaled.topk(top_k, dim=-1).values[..., -1:]
        scaled = scaled.masked_fill(scaled < smallest_kept, float("-inf"))
    drawn: Tensor = torch.multinomial(scaled.softmax(dim=-1), 1, generator=generator).squeeze(-1)
    return drawn
