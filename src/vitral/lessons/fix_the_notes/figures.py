"""The lesson's experiments: a plot that misses its maximum, a confident mistake under two losses,
a convolution of a moved signal, and two ways of averaging probabilities."""

from math import exp, log

from pydantic import Field

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

REACH = 50.0
LENGTH = 11
KERNEL = (1.0, 2.0, 1.0)


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def slope(x: float) -> float:
    return sigmoid(x) * (1 - sigmoid(x))


class Points(Parameters):
    """How many points a plot of the sigmoid's slope has, evenly spread from −50 to 50."""

    points: int = Field(100, ge=2, le=400)


@experiment
def sampled(at: Points) -> Drawing:
    """The slope as it is, and the slope as a plot with few points shows it."""
    step = 2 * REACH / (at.points - 1)
    seen = [-REACH + step * each for each in range(at.points)]
    fine = [each / 20 for each in range(-120, 121)]
    largest = max(slope(x) for x in seen)
    return Drawing(
        values={
            "largest": largest,
            "true_largest": slope(0.0),
            "spacing": step,
            "nearest": min(abs(x) for x in seen),
        },
        pictures=[
            CurvesPicture(
                kind="curves",
                label="slope",
                x_label="x",
                y_label="σ′(x)",
                x_range=(-6, 6),
                y_range=(0, 0.3),
                curves=[
                    Curve(label="as_it_is", x=fine, y=[slope(x) for x in fine]),
                    Curve(label="as_plotted", x=seen, y=[slope(x) for x in seen], dashed=True),
                ],
            )
        ],
    )


class Score(Parameters):
    """The score z of an example whose right answer is 1."""

    z: float = Field(-10.0, ge=-12, le=12)


@experiment
def confident(at: Score) -> Drawing:
    """The gradient for the score under cross-entropy and under half the squared error."""
    places = [each / 10 for each in range(-120, 121)]

    def squared(z: float) -> float:
        return (sigmoid(z) - 1) * slope(z)

    entropy_here, squared_here = sigmoid(at.z) - 1, squared(at.z)
    return Drawing(
        values={
            "probability": sigmoid(at.z),
            "slope": slope(at.z),
            "entropy": entropy_here,
            "squared": squared_here,
        },
        pictures=[
            CurvesPicture(
                kind="curves",
                label="gradients",
                x_label="z",
                y_label="gradient",
                x_range=(-12, 12),
                y_range=(-1.1, 0.1),
                curves=[
                    Curve(label="cross_entropy", x=places, y=[sigmoid(z) - 1 for z in places]),
                    Curve(label="squared_error", x=places, y=[squared(z) for z in places]),
                ],
                points=[
                    MovedPoint(label="cross_entropy", x=at.z, y=entropy_here, sets_x="z"),
                    MovedPoint(label="squared_error", x=at.z, y=squared_here, sets_x="z"),
                ],
            )
        ],
    )


class Place(Parameters):
    """Where the signal's only 1 stands, counted from 0."""

    place: int = Field(3, ge=0, le=10)


def convolved(signal: list[float]) -> list[float]:
    """The signal under a window of three weights, with zeros beyond its ends."""
    padded = [0.0, *signal, 0.0]
    return [
        sum(weight * padded[start + offset] for offset, weight in enumerate(KERNEL))
        for start in range(len(signal))
    ]


def impulse(place: int) -> list[float]:
    return [1.0 if each == place else 0.0 for each in range(LENGTH)]


@experiment
def moved(at: Place) -> Drawing:
    """A signal and its convolution; whether the result stays, or moves with the signal."""
    result, before = convolved(impulse(at.place)), convolved(impulse(at.place - 1))
    after_shift = [0.0, *before[:-1]]
    kind = "same" if result == before else "moves" if result == after_shift else "changes"
    return Drawing(
        values={
            "kind": kind,
            "peak": float(result.index(max(result))),
            "largest": max(result),
        },
        pictures=[
            HeatPicture(
                kind="heat",
                label="signals",
                rows=["signal", "convolution"],
                columns=[str(each) for each in range(LENGTH)],
                cells=[[*impulse(at.place)], [*result]],
                digits=0,
            )
        ],
    )


class Pair(Parameters):
    """The probabilities that a model gave to the two tokens that came."""

    first: float = Field(0.9, ge=0.01, le=1)
    second: float = Field(0.01, ge=0.01, le=1)


@experiment
def surprise(at: Pair) -> Drawing:
    """Perplexity, and the reciprocal of the mean probability, which is often taken for it."""
    right = exp(-(log(at.first) + log(at.second)) / 2)
    wrong = 2 / (at.first + at.second)
    return Drawing(
        values={"perplexity": right, "of_mean": wrong},
        pictures=[
            BarsPicture(
                kind="bars",
                label="two_averages",
                range=(0, max(12.0, right)),
                digits=2,
                bars=[
                    Bar(label="perplexity", value=right, marked=True),
                    Bar(label="of_mean", value=wrong),
                ],
            )
        ],
    )
