"""The lesson's experiments: a parabola, a landscape, first steps, batches, and a model's loss."""

import random
from functools import lru_cache
from math import log, sqrt
from typing import TYPE_CHECKING

from pydantic import Field

from vitral.lessons.descent.along import losses_along
from vitral.lessons.descent.courses import Kind, course, on_parabola
from vitral.lessons.experiment import Parameters, experiment
from vitral.lessons.picture import (
    Bar,
    BarsPicture,
    Curve,
    CurvesPicture,
    Drawing,
    MovedPoint,
    RegionsPicture,
)

if TYPE_CHECKING:
    from torch import Tensor

KINDS: tuple[Kind, ...] = ("sgd", "momentum", "rmsprop", "adagrad", "adam", "adamw")
NUM_STEPS = 200
SHOWN = 24


class Parabola(Parameters):
    """½λw² from w = 1: its curvature λ, the rate η, and the momentum β (0: plain descent)."""

    curvature: float = Field(10.0, ge=1, le=20)
    rate: float = Field(0.05, ge=0.01, le=0.5)
    beta: float = Field(0.0, ge=0, le=0.95)


def fate(places: tuple[float, ...]) -> str:
    """Whether a course of NUM_STEPS converges, circles or explodes: its late swings compared."""
    if len(places) <= NUM_STEPS:
        return "explodes"
    before, after = (max(map(abs, places[at : at + 50])) for at in (101, 151))
    if after < 0.99 * before or after == 0:
        return "converges"
    return "explodes" if after > 1.01 * before else "circles"


@experiment
def parabola(at: Parabola) -> Drawing:
    """Descent on a parabola, by Vitral's SGD: where the steps lead."""
    places = on_parabola(at.curvature, 1.0, "momentum", at.rate, NUM_STEPS, at.beta)

    def loss(w: float) -> float:
        return at.curvature / 2 * w * w

    shown = places[: SHOWN + 1]
    across = [step / 20 for step in range(-40, 41)]
    return Drawing(
        values={
            "fate": fate(places),
            "first": places[1],
            "limit": 2 * (1 + at.beta) / at.curvature,
            "factor": 1 - at.rate * at.curvature,
            "last": shown[-1],
        },
        pictures=[
            CurvesPicture(
                kind="curves",
                label="parabola",
                x_label="w",
                y_label="loss",
                x_range=(-2, 2),
                y_range=(0, 2 * at.curvature),
                curves=[
                    Curve(label="loss", x=across, y=[loss(w) for w in across]),
                    Curve(label="course", x=list(shown), y=[loss(w) for w in shown]),
                ],
                points=[MovedPoint(label="first_step", x=places[1], y=loss(places[1]))],
            ),
            CurvesPicture(
                kind="curves",
                label="by_step",
                x_label="step",
                y_label="w",
                x_range=(0, SHOWN),
                y_range=(-2, 2),
                curves=[
                    Curve(label="w", x=[float(step) for step in range(len(shown))], y=list(shown))
                ],
            ),
        ],
    )


class Landscape(Parameters):
    """An optimiser, its rate and weight decay, how many steps, and where it starts."""

    kind: Kind = "sgd"
    rate: float = Field(0.02, ge=0.01, le=0.5)
    decay: float = Field(0.0, ge=0, le=1)
    steps: int = Field(60, ge=1, le=150)
    x: float = Field(1.6, ge=-2, le=2)
    y: float = Field(0.8, ge=-1, le=1)


def height(x: "float | Tensor", y: "float | Tensor") -> "float | Tensor":
    """Two valleys across x, the left one deeper; steeper across y."""
    return (x * x - 1) ** 2 + 0.3 * x + 2.5 * y * y


@lru_cache(maxsize=1)
def _ground() -> tuple[tuple[float, ...], ...]:
    """The landscape's heights from 0 to 1, on a scale that shows the low parts."""
    across = [-2 + 4 * (at + 0.5) / 60 for at in range(60)]
    up = [-1 + 2 * (at + 0.5) / 40 for at in range(40)]
    lowest = -0.31
    return tuple(
        tuple(min(1.0, log(1 + 4 * (float(height(x, y)) - lowest)) / log(50)) for x in across)
        for y in up
    )


def arrived(place: tuple[float, ...]) -> str:
    """In which valley a place lies near the bottom, if in any."""
    x, y = place
    if abs(y) < 0.1 and abs(x - 0.96) < 0.12:
        return "shallow"
    return "deep" if abs(y) < 0.1 and abs(x + 1.035) < 0.12 else "on_the_way"


@experiment
def landscape(at: Landscape) -> Drawing:
    """An optimiser of Vitral's on a landscape with two valleys."""
    places = course(
        lambda w: height(w[0], w[1]),  # type: ignore[arg-type, return-value]
        (at.x, at.y),
        at.kind,
        at.rate,
        at.steps,
        weight_decay=at.decay,
    )
    end = places[-1]
    diverged = len(places) <= at.steps
    return Drawing(
        values={
            "end_x": end[0],
            "end_y": end[1],
            "loss": float(height(*end)),
            "where": "lost" if diverged else arrived(end),
        },
        pictures=[
            RegionsPicture(
                kind="regions",
                label="landscape",
                x_label="w₁",
                y_label="w₂",
                x_range=(-2, 2),
                y_range=(-1, 1),
                cells=[list(row) for row in _ground()],
                levels=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
                curves=[
                    Curve(
                        label="step",
                        x=[max(-50.0, min(50.0, x)) for x, _ in places],
                        y=[max(-50.0, min(50.0, y)) for _, y in places],
                    )
                ],
                points=[MovedPoint(label="start", x=at.x, y=at.y, sets_x="x", sets_y="y")],
            )
        ],
    )


class First(Parameters):
    """A gradient of 10 to some power, and the rate of all six optimisers."""

    power: float = Field(0.0, ge=-3, le=3)
    rate: float = Field(0.1, ge=0.01, le=0.5)


@experiment
def first_step(at: First) -> Drawing:
    """How far each optimiser goes with its first step, on a slope of that gradient."""
    gradient = 10**at.power
    lengths: dict[str, float] = {
        kind: abs(course(lambda w: gradient * w[0], (0.0,), kind, at.rate, 1)[1][0])
        for kind in KINDS
    }
    most = max(lengths.values())
    return Drawing(
        values={"gradient": gradient, **lengths},
        pictures=[
            BarsPicture(
                kind="bars",
                label="first_steps",
                range=(0, most),
                digits=4,
                bars=[
                    Bar(label=kind, value=length, marked=kind == "adam")
                    for kind, length in lengths.items()
                ],
            )
        ],
    )


class Batches(Parameters):
    """How many examples each step looks at, and the rate."""

    size: int = Field(1, ge=1, le=200)
    rate: float = Field(0.1, ge=0.01, le=0.5)


@lru_cache(maxsize=1)
def _examples() -> tuple[tuple[float, float], ...]:
    """200 examples: y is 2x, and noise."""
    dice = random.Random(4)
    xs = [dice.gauss(0, 1) for _ in range(200)]
    return tuple((x, 2 * x + dice.gauss(0, 1)) for x in xs)


def _gradient(w: float, batch: list[tuple[float, float]]) -> float:
    """Of the mean of ½(wx − y)²."""
    return sum((w * x - y) * x for x, y in batch) / len(batch)


@experiment
def batches(at: Batches) -> Drawing:
    """The gradient of a batch scatters around that of all examples; so do the steps."""
    examples = list(_examples())
    dice = random.Random(7)
    seen = [_gradient(0.0, dice.choices(examples, k=at.size)) for _ in range(400)]
    mean = sum(seen) / len(seen)
    spread = sqrt(sum((each - mean) ** 2 for each in seen) / len(seen))

    def loss(w: "Tensor") -> "Tensor":
        batch = dice.choices(examples, k=at.size)
        return sum((w[0] * x - y) ** 2 / 2 for x, y in batch) / at.size  # type: ignore[return-value]

    places = course(loss, (-1.0,), "sgd", at.rate, 80)
    best = sum(x * y for x, y in examples) / sum(x * x for x, _ in examples)
    late = [w for (w,) in places[41:]]
    wobble = sqrt(sum((w - best) ** 2 for w in late) / len(late)) if late else 0.0
    steps = [float(step) for step in range(len(places))]
    shares = [0.0] * 30
    for each in seen:
        shares[min(29, max(0, int((each + 8) * 2.5)))] += 1 / len(seen)
    return Drawing(
        values={
            "full": _gradient(0.0, examples),
            "spread": spread,
            "best": best,
            "wobble": wobble,
        },
        pictures=[
            CurvesPicture(
                kind="curves",
                label="scatter",
                x_label="gradient",
                y_label="share",
                x_range=(-8, 4),
                y_range=(0, max(shares) * 1.1),
                curves=[
                    Curve(
                        label="share",
                        x=[-8 + (at_ + side) / 2.5 for at_ in range(30) for side in (0, 1)],
                        y=[each for each in shares for _ in range(2)],
                    )
                ],
            ),
            CurvesPicture(
                kind="curves",
                label="by_step",
                x_label="step",
                y_label="w",
                x_range=(0, 80),
                y_range=(-1.2, 4),
                curves=[
                    Curve(label="w", x=steps, y=[w for (w,) in places]),
                    Curve(label="best", x=[0, 80], y=[best, best], dashed=True),
                ],
            ),
        ],
    )


class Own(Parameters):
    """A decoder, a text of the reader's, and the rate of one step."""

    model: str = Field("vitral-es-gpt", min_length=1, max_length=300)
    text: str = Field("La lluvia cae despacio sobre los tejados de la ciudad.", max_length=400)
    rate: float = Field(0.1, ge=0.01, le=5)


RATES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)


@experiment
def own_loss(at: Own) -> Drawing:
    """A model's loss on a text, after one step of plain descent of each length."""
    rates = sorted({*RATES, at.rate})
    losses = losses_along(at.model, at.text, tuple(rates))
    chosen, begun = losses[rates.index(at.rate)], losses[0]
    best = min(range(len(rates)), key=losses.__getitem__)
    return Drawing(
        values={
            "before": begun,
            "after": chosen,
            "best_rate": rates[best],
            "best_loss": losses[best],
            "short_helps": losses[1] < begun,
            "long_harms": losses[-1] > begun,
        },
        pictures=[
            CurvesPicture(
                kind="curves",
                label="after_one_step",
                x_label="rate",
                y_label="loss",
                x_range=(0, 5),
                y_range=(0, 1.05 * max(losses)),
                curves=[Curve(label="loss", x=list(rates), y=list(losses))],
                points=[MovedPoint(label="rate", x=at.rate, y=chosen, sets_x="rate")],
            )
        ],
    )
