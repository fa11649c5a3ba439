"""How large the gradients of a model's parts are.

A part whose gradients vanish learns nothing; one whose gradients grow is about to break. The
norms of all weights' gradients come from one call that works on the whole list.
"""

import math
from collections import defaultdict
from typing import Any

import torch
from torch import nn


def gradient_norms(model: nn.Module) -> dict[str, float]:
    """The norm of the gradient of each part of the model, by its address: `embed`, `layers.0`,
    `encoder.layers.1`, …, in the model's own order."""
    named = [(name, weight.grad) for name, weight in model.named_parameters()]
    with_gradient = [(name, gradient) for name, gradient in named if gradient is not None]
    if not with_gradient:
        return {}
    norms: Any = torch.stack(torch._foreach_norm([gradient for _, gradient in with_gradient]))
    if hasattr(norms, "full_tensor"):  # spread over several processes
        norms = norms.full_tensor()
    squares: dict[str, float] = defaultdict(float)
    for (name, _), norm in zip(with_gradient, norms.tolist(), strict=True):
        squares[_part_of(name)] += norm**2
    return {part: math.sqrt(square) for part, square in squares.items()}


def _part_of(name: str) -> str:
    """The address of the part that a weight belongs to.

    >>> _part_of("encoder.layers.3.attention.q_proj.weight"), _part_of("embed.tokens.weight")
    ('encoder.layers.3', 'embed')
    """
    words = name.split(".")
    for place, word in enumerate(words):
        if word.isdigit():
            return ".".join(words[: place + 1])
    first = 2 if words[0] in ("encoder", "decoder") else 1
    return ".".join(words[:first])
