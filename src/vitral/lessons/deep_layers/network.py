"""A deep network with random weights: what arrives at each layer, forward and backward."""

from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

ActivationName = Literal["sigmoid", "tanh", "relu", "gelu"]
StartName = Literal["normal", "small", "xavier", "he"]
NormName = Literal["none", "layer", "batch"]

WIDTH = 64
NUM_EXAMPLES = 64

SCALES: dict[str, float] = {
    "normal": 1.0,
    "small": 0.01,
    "xavier": 1 / sqrt(WIDTH),
    "he": sqrt(2 / WIDTH),
}
"""The standard deviation of the weights; Xavier's 2/(in + out) is 1/WIDTH, the layers being as
wide as each other."""


@lru_cache(maxsize=128)
def through(
    depth: int, activation: ActivationName, start: StartName, norm: NormName, residual: bool
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """For each layer the root mean square of what it gives, and that of the loss's gradient there.
    The loss is half the mean squared distance of the last layer from random targets. Computed in
    64 bits; the same weights each time."""
    import torch
    from torch.nn import functional as F

    functions = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu, "gelu": F.gelu}
    dice = torch.Generator().manual_seed(6)

    def drawn(*shape: int) -> "Tensor":
        return torch.randn(*shape, generator=dice, dtype=torch.float64)

    x, target = drawn(NUM_EXAMPLES, WIDTH), drawn(NUM_EXAMPLES, WIDTH)
    layers: list[Tensor] = []
    with torch.enable_grad():
        for _ in range(depth):
            weights = SCALES[start] * drawn(WIDTH, WIDTH)
            z = x @ weights
            if norm == "layer":
                z = F.layer_norm(z, (WIDTH,))
            elif norm == "batch":
                z = F.batch_norm(z, None, None, training=True)
            step = functions[activation](z)
            x = (x + step if residual else step).requires_grad_()
            layers.append(x)
        loss = (x - target).square().mean() / 2
        slopes = torch.autograd.grad(loss, layers)
    return tuple(map(root_mean_square, layers)), tuple(map(root_mean_square, slopes))


def root_mean_square(values: "Tensor") -> float:
    """The root mean square, of values as large as a float holds."""
    largest = float(values.detach().abs().max())
    if largest == 0:
        return 0.0
    return largest * float((values.detach() / largest).square().mean().sqrt())
