"""The lesson's experiments: curves and slopes, the dead zone, softmax, a model's own numbers."""

import random
from functools import lru_cache
from math import exp
from typing import Literal

from pydantic import Field

from vitral.lessons.activations.feed_forward import before_activation
from vitral.lessons.activations.functions import ACTIVATIONS, extreme
from vitral.lessons.experiment import Parameters, experiment
from vitral.lessons.picture import (
    Bar,
    BarsPicture,
    Curve,
    CurvesPicture,
    Drawing,
    HeatPicture,
    MovedPoint,
)

WEAK = 0.01
"""A slope below this (of either sign) hardly teaches a weight anything."""

Name = Literal["sigmoid", "tanh", "relu", "leaky_relu", "prelu", "elu", "gelu"]


class At(Parameters):
    """A function, a place on it, and the parameter a of PReLU and ELU."""

    activation: Name = "sigmoid"
    x: float = Field(0.0, ge=-12, le=12)
    a: float = Field(0.25, ge=0, le=2)


@experiment
def curves(at: At) -> Drawing:
    """An activation and its derivative, with the point x on both."""
    chosen = ACTIVATIONS[at.activation]

    def value(x: float) -> float:
        return chosen.value(x, at.a)

    def slope(x: float) -> float:
        return chosen.slope(x, at.a)

    places = [round(-10 + step / 20, 3) for step in range(401)]
    steepest_at, steepest = extreme(slope, -10, 10)
    lowest_at, lowest = extreme(lambda x: -value(x), -10, 10)
    weak = [x for x in places if abs(slope(x)) < WEAK]
    outputs, slopes = [value(x) for x in places], [slope(x) for x in places]
    bounded = at.activation in ("sigmoid", "tanh")
    return Drawing(
        values={
            "output": value(at.x),
            "slope": slope(at.x),
            "steepest": steepest,
            "steepest_at": steepest_at,
            "lowest": -lowest,
            "lowest_at": lowest_at,
            "weak": abs(slope(at.x)) < WEAK,
            "weak_share": len(weak) / len(places),
        },
        pictures=[
            CurvesPicture(
                kind="curves",
                label="function",
                x_label="x",
                y_label="f(x)",
                x_range=(-10, 10),
                y_range=(-1.2, 1.2) if bounded else (-2, 6),
                curves=[Curve(label="f(x)", x=places, y=list(outputs))],
                points=[MovedPoint(label="f(x)", x=at.x, y=value(at.x), sets_x="x")],
                shaded=_stretches(weak),
            ),
            CurvesPicture(
                kind="curves",
                label="derivative",
                x_label="x",
                y_label="f′(x)",
                x_range=(-10, 10),
                y_range=(-0.25, 1.25),
                curves=[Curve(label="f′(x)", x=places, y=list(slopes))],
                points=[MovedPoint(label="f′(x)", x=at.x, y=slope(at.x), sets_x="x")],
                shaded=_stretches(weak),
            ),
        ],
    )


def _stretches(places: list[float]) -> list[tuple[float, float]]:
    """Neighbouring places (0.05 apart) joined."""
    found: list[tuple[float, float]] = []
    for x in places:
        if found and x - found[-1][1] < 0.06:
            found[-1] = (found[-1][0], x)
        else:
            found.append((x, x))
    return [(low, high) for low, high in found if high > low]


class Place(Parameters):
    """A place at which all functions are compared."""

    x: float = Field(0.0, ge=-12, le=12)


@experiment
def compare(at: Place) -> Drawing:
    """The slopes of all seven functions at one place."""
    slopes = {name: each.slope(at.x, 0.25) for name, each in ACTIVATIONS.items()}
    flattest = min(slopes, key=lambda name: abs(slopes[name]))
    steepest = max(slopes, key=lambda name: slopes[name])
    return Drawing(
        values={"flattest": flattest, "steepest": steepest, **slopes},
        pictures=[
            BarsPicture(
                kind="bars",
                label="slopes",
                range=(-0.2, 1.2),
                digits=5,
                bars=[
                    Bar(label=name, value=slope, marked=name == flattest)
                    for name, slope in slopes.items()
                ],
            )
        ],
    )


class Unit(Parameters):
    """A unit that adds the bias b to its input, before the activation."""

    activation: Literal["relu", "leaky_relu"] = "relu"
    b: float = Field(0.0, ge=-5, le=5)


@lru_cache(maxsize=1)
def _inputs() -> tuple[float, ...]:
    """A thousand inputs, normally distributed; the same ones each time."""
    dice = random.Random(2)
    return tuple(dice.gauss(0, 1) for _ in range(1000))


@experiment
def dead_zone(at: Unit) -> Drawing:
    """For how many of a thousand inputs a unit has no slope, as its bias moves."""
    chosen = ACTIVATIONS[at.activation]

    def dead(b: float) -> float:
        return sum(chosen.slope(x + b, 0.0) == 0 for x in _inputs()) / len(_inputs())

    biases = [round(-5 + step / 10, 2) for step in range(101)]
    share = dead(at.b)
    mean = sum(chosen.slope(x + at.b, 0.0) for x in _inputs()) / len(_inputs())
    return Drawing(
        values={"dead": share, "alive": 1 - share, "mean_slope": mean},
        pictures=[
            CurvesPicture(
                kind="curves",
                label="dead_inputs",
                x_label="b",
                y_label="share",
                x_range=(-5, 5),
                y_range=(0, 1),
                curves=[Curve(label="dead_inputs", x=biases, y=[dead(b) for b in biases])],
                points=[MovedPoint(label="dead_inputs", x=at.b, y=share, sets_x="b")],
            ),
            BarsPicture(
                kind="bars",
                label="inputs",
                range=(0, 1),
                bars=[
                    Bar(label="without_slope", value=share, marked=True),
                    Bar(label="with_slope", value=1 - share),
                ],
            ),
        ],
    )


class Scores(Parameters):
    """Three scores, and what is added to all of them."""

    z1: float = Field(2.0, ge=-6, le=6)
    z2: float = Field(1.0, ge=-6, le=6)
    z3: float = Field(0.0, ge=-6, le=6)
    shift: float = Field(0.0, ge=-100, le=100)


@experiment
def softmax(at: Scores) -> Drawing:
    """Softmax of three scores, and its Jacobian diag(p) − ppᵀ."""
    scores = [at.z1 + at.shift, at.z2 + at.shift, at.z3 + at.shift]
    raised = [exp(score - max(scores)) for score in scores]
    p = [each / sum(raised) for each in raised]
    jacobian = [[p[i] * ((i == j) - p[j]) for j in range(3)] for i in range(3)]
    names = ["z₁", "z₂", "z₃"]
    return Drawing(
        values={
            "p1": p[0],
            "p2": p[1],
            "p3": p[2],
            "total": sum(p),
            "own_slope": jacobian[0][0],
            "cross_slope": jacobian[0][1],
            "row_total": sum(jacobian[0]),
            "largest_slope": max(jacobian[i][i] for i in range(3)),
        },
        pictures=[
            BarsPicture(
                kind="bars",
                label="probabilities",
                range=(0, 1),
                bars=[
                    Bar(label=f"p{name[1:]}", value=each, marked=each == max(p))
                    for name, each in zip(names, p, strict=True)
                ],
            ),
            HeatPicture(
                kind="heat",
                label="jacobian",
                rows=[f"∂p{name[1:]}" for name in names],
                columns=[f"∂{name}" for name in names],
                cells=[list(row) for row in jacobian],
                signed=True,
                most=0.25,
                digits=3,
            ),
        ],
    )


class Own(Parameters):
    """A model, a text of the reader's, and a layer (the last, where there are fewer)."""

    model: str = Field("vitral-es-bert", min_length=1, max_length=300)
    text: str = Field("El perro que persiguió al gato cruzó la calle.", max_length=400)
    layer: int = Field(0, ge=0, le=200)


@experiment
def own_numbers(at: Own) -> Drawing:
    """What arrives at the activations of one layer of a model, while it reads a text."""
    name, layer, numbers = before_activation(at.model, at.text, at.layer)
    edges = [-6 + step / 2 for step in range(25)]
    counts = [0] * 24
    for number in numbers:
        counts[min(23, max(0, int((number + 6) * 2)))] += 1
    chosen = ACTIVATIONS["gelu"]
    share = sum(number < 0 for number in numbers) / len(numbers)
    weak = sum(abs(chosen.slope(number, 0.0)) < 0.1 for number in numbers) / len(numbers)
    tallest = max(counts)
    return Drawing(
        values={
            "negative": share,
            "weak_share": weak,
            "count": float(len(numbers)),
            "activation": name,
            "layer": float(layer),
            "most_are_negative": share > 0.5,
        },
        pictures=[
            CurvesPicture(
                kind="curves",
                label="own_numbers",
                x_label="x",
                y_label="share",
                x_range=(-6, 6),
                y_range=(-0.25, 1.2),
                curves=[
                    Curve(
                        label="how_often",
                        x=[edge for at_ in range(24) for edge in (edges[at_], edges[at_ + 1])],
                        y=[count / tallest for count in counts for _ in range(2)],
                    ),
                    Curve(
                        label="gelu_slope",
                        x=[edge / 4 for edge in range(-24, 25)],
                        y=[chosen.slope(edge / 4, 0.0) for edge in range(-24, 25)],
                        dashed=True,
                    ),
                ],
            ),
        ],
    )
