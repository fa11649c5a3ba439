"""The activation functions of the lesson, and their derivatives, from the functions themselves."""

from collections.abc import Callable
from dataclasses import dataclass
from math import erf, exp, expm1, pi, sqrt, tanh

Function = Callable[[float, float], float]


@dataclass(frozen=True)
class Activation:
    """`value` and `slope` at x; both take the parameter a of those that have one."""

    value: Function
    slope: Function


def _sigmoid(x: float, a: float = 0.0) -> float:
    """Written so that exp never overflows."""
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))


def _normal(x: float) -> float:
    """The normal distribution up to x."""
    return (1 + erf(x / sqrt(2))) / 2


def _density(x: float) -> float:
    return exp(-x * x / 2) / sqrt(2 * pi)


LEAK = 0.01
"""The slope of LeakyReLU below 0: fixed, where PReLU's is learnt."""

ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Activation(_sigmoid, lambda x, a: _sigmoid(x) * _sigmoid(-x)),
    "tanh": Activation(lambda x, a: tanh(x), lambda x, a: 1 - tanh(x) ** 2),
    "relu": Activation(lambda x, a: max(0.0, x), lambda x, a: float(x > 0)),
    "leaky_relu": Activation(
        lambda x, a: x if x > 0 else LEAK * x, lambda x, a: 1.0 if x > 0 else LEAK
    ),
    "prelu": Activation(lambda x, a: x if x > 0 else a * x, lambda x, a: 1.0 if x > 0 else a),
    "elu": Activation(
        lambda x, a: x if x > 0 else a * expm1(x), lambda x, a: 1.0 if x > 0 else a * exp(x)
    ),
    "gelu": Activation(lambda x, a: x * _normal(x), lambda x, a: _normal(x) + x * _density(x)),
}


def extreme(function: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """Where a function is greatest between two places, and how great: on a grid, then by thirds."""
    num = 400
    places = [low + (high - low) * at / num for at in range(num + 1)]
    best = max(range(num + 1), key=lambda at: function(places[at]))
    left, right = places[max(0, best - 1)], places[min(num, best + 1)]
    for _ in range(60):
        one, two = left + (right - left) / 3, right - (right - left) / 3
        left, right = (one, right) if function(one) < function(two) else (left, two)
    at = (left + right) / 2
    greatest, where = max((function(place), place) for place in (at, places[best]))
    return where, greatest
