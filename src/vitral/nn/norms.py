"""Normalisation: keep every token's vector at the same scale, layer after layer.

Without it the residual stream grows with each block and gradients with it. Both forms act on
one token's vector at a time, so they mix neither tokens nor batch.

Layer normalisation (Ba, Kiros & Hinton 2016, https://arxiv.org/abs/1607.06450)::

    y = (x - mean(x)) / sqrt(var(x) + ε) · weight + bias

Root-mean-square normalisation (Zhang & Sennrich 2019, https://arxiv.org/abs/1910.07467) leaves
out the mean and the bias, without a measurable loss of quality::

    y = x / sqrt(mean(x²) + ε) · weight

Try it: ``RMSNorm(4)(torch.tensor([3.0, 4.0, 0.0, 0.0]))`` gives ``[1.2, 1.6, 0, 0]``.
"""

import torch
from torch import Tensor, nn


class LayerNorm(nn.Module):
    """Layer normalisation over the last dimension; input and output [..., width]."""

    bias: nn.Parameter | None

    def __init__(self, width: int, epsilon: float = 1e-5, *, bias: bool = True) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(width))
        self.register_parameter("bias", nn.Parameter(torch.zeros(width)) if bias else None)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.layer_norm(x, x.shape[-1:], self.weight, self.bias, self.epsilon)


class RMSNorm(nn.Module):
    """Root-mean-square normalisation over the last dimension; input and output [..., width].

    The mean square is taken in float32, whatever the input's precision.
    """

    def __init__(self, width: int, epsilon: float = 1e-6) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        x32 = x.float()
        scale = torch.rsqrt(x32.pow(2).mean(dim=-1, keepdim=True) + self.epsilon)
        return self.weight * (x32 * scale).to(x.dtype)
