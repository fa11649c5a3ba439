"""The lesson's experiments: one neuron on a line, on the plane, learning, and three together."""

from functools import lru_cache
from itertools import product
from math import exp
from typing import Literal

from pydantic import Field

from vitral.lessons.experiment import Parameters, experiment
from vitral.lessons.picture import (
    Bar,
    BarsPicture,
    CalculationStep,
    Curve,
    CurvesPicture,
    Dot,
    Drawing,
    MovedPoint,
    Picture,
    RegionsPicture,
    StepsPicture,
)

Weights = tuple[float, float, float]
"""w₁, w₂ and b."""

GateName = Literal["and", "or", "only_first", "xor"]

CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))
GATES: dict[str, tuple[int, int, int, int]] = {
    "and": (0, 0, 0, 1),
    "or": (0, 1, 1, 1),
    "only_first": (0, 0, 1, 0),
    "xor": (0, 1, 1, 0),
}
"""What each gate answers at the four corners."""

SIDE = 60
RANGE = (-0.5, 1.5)


def sigmoid(z: float) -> float:
    """Written so that exp never overflows."""
    return 1 / (1 + exp(-z)) if z >= 0 else exp(z) / (1 + exp(z))


class At(Parameters):
    """A neuron with one input: weight, bias, and the input."""

    w: float = Field(1.0, ge=-5, le=5)
    b: float = Field(0.0, ge=-5, le=5)
    x: float = Field(1.0, ge=-5, le=5)


@experiment
def line(at: At) -> Drawing:
    """The sum wx + b, a line, and the output, which is the line bent between 0 and 1."""
    z = at.w * at.x + at.b
    places = [step / 10 for step in range(-50, 51)]
    return Drawing(
        values={
            "z": z,
            "output": sigmoid(z),
            "boundary": -at.b / at.w if at.w else "none",
            "says": "yes" if z > 0 else "no",
        },
        pictures=[
            CurvesPicture(
                kind="curves",
                label="sum",
                x_label="x",
                y_label="z = wx + b",
                x_range=(-5, 5),
                y_range=(-6, 6),
                curves=[Curve(label="z = wx + b", x=places, y=[at.w * x + at.b for x in places])],
                points=[
                    MovedPoint(label="bias", x=0, y=at.b, sets_y="b"),
                    MovedPoint(label="input", x=at.x, y=z, sets_x="x"),
                ],
            ),
            CurvesPicture(
                kind="curves",
                label="output",
                x_label="x",
                y_label="σ(z)",
                x_range=(-5, 5),
                y_range=(-0.1, 1.1),
                curves=[
                    Curve(label="σ(z)", x=places, y=[sigmoid(at.w * x + at.b) for x in places]),
                    Curve(label="half", x=[-5, 5], y=[0.5, 0.5], dashed=True),
                ],
                points=[MovedPoint(label="input", x=at.x, y=sigmoid(z), sets_x="x")],
            ),
        ],
    )


def sum_at(weights: Weights, x1: float, x2: float) -> float:
    """z = w₁x₁ + w₂x₂ + b."""
    return weights[0] * x1 + weights[1] * x2 + weights[2]


def answers(weights: Weights) -> list[int]:
    """What the neuron says at the four corners: 1 where its sum is above 0."""
    return [int(sum_at(weights, *corner) > 0) for corner in CORNERS]


def num_right(said: list[int], gate: str) -> int:
    """At how many corners that is the gate's answer."""
    return sum(one == other for one, other in zip(said, GATES[gate], strict=True))


@lru_cache(maxsize=4)
def most_right(gate: str) -> int:
    """The most corners that any of 15,625 neurons gets right: each weight from −3 to 3."""
    steps = [step / 4 for step in range(-12, 13)]
    return max(num_right(answers((w1, w2, b)), gate) for w1, w2, b in product(steps, repeat=3))


def _map(gate: str, outputs: list[list[float]], points: list[MovedPoint]) -> RegionsPicture:
    wanted = zip(CORNERS, GATES[gate], strict=True)
    return RegionsPicture(
        kind="regions",
        label="plane",
        x_label="x₁",
        y_label="x₂",
        x_range=RANGE,
        y_range=RANGE,
        cells=outputs,
        groups=["answers_no", "answers_yes"],
        dots=[Dot(x=x, y=y, group=group) for (x, y), group in wanted],
        points=points,
    )


def _places() -> list[float]:
    """The middles of the map's cells."""
    return [RANGE[0] + (RANGE[1] - RANGE[0]) * (at + 0.5) / SIDE for at in range(SIDE)]


def _cells(weights: Weights) -> list[list[float]]:
    places = _places()
    return [[sigmoid(sum_at(weights, x, y)) for x in places] for y in places]


def _corner_bars(outputs: list[float], gate: str) -> BarsPicture:
    """The output at each corner; the marked ones are wrong."""
    bars = [
        Bar(label=f"({x}; {y})", value=output, marked=(output > 0.5) != bool(wanted))
        for (x, y), output, wanted in zip(CORNERS, outputs, GATES[gate], strict=True)
    ]
    return BarsPicture(kind="bars", label="corners", range=(0, 1), digits=2, bars=bars)


class Neuron(Parameters):
    """A neuron with two inputs, the gate that it should be, and a place of the plane."""

    gate: GateName = "and"
    w1: float = Field(1.0, ge=-3, le=3)
    w2: float = Field(1.0, ge=-3, le=3)
    b: float = Field(-1.5, ge=-3, le=3)
    x1: float = Field(0.5, ge=-0.5, le=1.5)
    x2: float = Field(0.5, ge=-0.5, le=1.5)


@experiment
def gate(at: Neuron) -> Drawing:
    """The plane as one neuron divides it, and which of the gate's four answers it gives."""
    weights = (at.w1, at.w2, at.b)
    z = sum_at(weights, at.x1, at.x2)
    outputs = [sigmoid(sum_at(weights, *corner)) for corner in CORNERS]
    terms = rf"{_n(at.w1)} \cdot {_n(at.x1)} + {_n(at.w2)} \cdot {_n(at.x2)} + {_n(at.b)}"
    steps = [
        CalculationStep(label="sum", tex=rf"z = {terms} = {_n(z)}"),
        CalculationStep(label="output", tex=rf"\sigma(z) = {_n(sigmoid(z))}"),
    ]
    return Drawing(
        values={
            "z": z,
            "output": sigmoid(z),
            "right": float(num_right(answers(weights), at.gate)),
            "most": float(most_right(at.gate)),
        },
        pictures=[
            _map(
                at.gate,
                _cells(weights),
                [MovedPoint(label="place", x=at.x1, y=at.x2, sets_x="x1", sets_y="x2")],
            ),
            StepsPicture(kind="steps", label="calculation", steps=steps),
            _corner_bars(outputs, at.gate),
        ],
    )


def _n(number: float) -> str:
    """A number in LaTeX, marked so that it is shown in the reader's form."""
    text = f"{number:.0f}" if number == round(number) else f"{number:.3g}"
    return f"(⟨{text}⟩)" if number < 0 else f"⟨{text}⟩"


class Passes(Parameters):
    """A gate, and how many times the perceptron rule has gone through its four corners."""

    gate: GateName = "and"
    passes: int = Field(0, ge=0, le=30)


def learnt(gate: str, passes: int) -> list[tuple[Weights, int]]:
    """Rosenblatt's rule from weights 0: the weights at the start and after each pass, with the
    corrections that the pass made (none at the start)."""
    weights: Weights = (0.0, 0.0, 0.0)
    course: list[tuple[Weights, int]] = [(weights, 0)]
    for _ in range(passes):
        corrections = 0
        for (x, y), wanted in zip(CORNERS, GATES[gate], strict=True):
            error = wanted - int(sum_at(weights, x, y) > 0)
            corrections += error != 0
            weights = (weights[0] + error * x, weights[1] + error * y, weights[2] + error)
        course.append((weights, corrections))
    return course


@experiment
def learning(at: Passes) -> Drawing:
    """The perceptron rule, pass by pass: where its line stands and how often it corrects."""
    course = learnt(at.gate, 30)
    weights, corrections = course[at.passes]
    right = [float(num_right(answers(each), at.gate)) for each, _ in course]
    first = next((done for done in range(1, 31) if course[done][1] == 0), None)
    curve = CurvesPicture(
        kind="curves",
        label="progress",
        x_label="passes",
        y_label="right",
        x_range=(0, 30),
        y_range=(0, 4.4),
        curves=[Curve(label="right", x=[float(x) for x in range(31)], y=list(right))],
        points=[MovedPoint(label="right", x=at.passes, y=right[at.passes], sets_x="passes")],
    )
    pictures: list[Picture] = [_map(at.gate, _cells(weights), []), curve]
    return Drawing(
        values={
            "w1": weights[0],
            "w2": weights[1],
            "b": weights[2],
            "corrections": float(corrections),
            "right": right[at.passes],
            "settles": first is not None,
            "settled_after": float(first) if first is not None else "never",
        },
        pictures=pictures,
    )


class Three(Parameters):
    """How much the third neuron subtracts of the second, and how sharply all three decide."""

    v: float = Field(0.0, ge=0, le=2)
    sharp: float = Field(10.0, ge=1, le=20)


@experiment
def three(at: Three) -> Drawing:
    """One neuron says «either», one says «both», and a third takes the second from the first."""

    def output(x: float, y: float) -> float:
        either = sigmoid(at.sharp * (x + y - 0.5))
        both = sigmoid(at.sharp * (x + y - 1.5))
        return sigmoid(at.sharp * (either - at.v * both - 0.5))

    places = _places()
    outputs = [output(*corner) for corner in CORNERS]
    right = num_right([int(each > 0.5) for each in outputs], "xor")
    return Drawing(
        values={"right": float(right), "both_output": outputs[3], "one_output": outputs[1]},
        pictures=[
            _map("xor", [[output(x, y) for x in places] for y in places], []),
            _corner_bars(outputs, "xor"),
        ],
    )
