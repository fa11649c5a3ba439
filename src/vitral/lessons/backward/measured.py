"""A model's slope along its own gradient: as backpropagation says, and as differences measure."""

from dataclasses import dataclass
from functools import lru_cache

from vitral.lessons.descent.along import losses_along, text_gradient

STEP = 1e-3
"""How far the weights are moved to either side, measured along the gradient's direction."""


@dataclass(frozen=True)
class Slopes:
    """The gradient's length, which is the slope along it, and the same slope measured."""

    said: float
    measured: float
    num_weights: int


@lru_cache(maxsize=16)
def slopes_of_model(name: str, text: str) -> Slopes:
    """Of a decoder's loss on a text. Raises what `losses_along` raises."""
    length, num_weights = text_gradient(name, text)
    rate = STEP / length
    below, above = losses_along(name, text, (rate, -rate))
    return Slopes(length, (above - below) / (2 * STEP), num_weights)
