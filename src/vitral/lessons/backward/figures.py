"""The lesson's experiments: a loss as a graph, branches that join, and a model's slopes."""

from math import exp
from typing import Literal

from pydantic import Field

from vitral.lessons.backward.measured import slopes_of_model
from vitral.lessons.experiment import Parameters, experiment
from vitral.lessons.picture import (
    Bar,
    BarsPicture,
    CalculationStep,
    Curve,
    CurvesPicture,
    Drawing,
    DrawnArrow,
    DrawnNode,
    GraphPicture,
    MovedPoint,
    Picture,
    StepsPicture,
)


def sigmoid(z: float) -> float:
    """Written so that exp never overflows."""
    return 1 / (1 + exp(-z)) if z >= 0 else exp(z) / (1 + exp(z))


class Node(Parameters):
    """A neuron's input, weight, bias and wanted answer, and how many nodes have been gone back."""

    x: float = Field(2.0, ge=-5, le=5)
    w: float = Field(0.5, ge=-5, le=5)
    b: float = Field(-1.0, ge=-5, le=5)
    target: float = Field(1.0, ge=0, le=1)
    back: int = Field(5, ge=0, le=5)


def _n(number: float) -> str:
    """A number in LaTeX, marked so that it is shown in the reader's form."""
    text = f"{number:.0f}" if number == round(number) else f"{number:.4f}"
    return f"(⟨{text}⟩)" if number < 0 else f"⟨{text}⟩"


@experiment
def neuron(at: Node) -> Drawing:
    """½(σ(wx + b) − y)² as a graph: forward the values, backward the slopes, node by node."""
    product = at.w * at.x
    z = product + at.b
    a = sigmoid(z)
    error = a - at.target
    loss = error * error / 2
    curve = a * (1 - a)
    by_a, by_z = error, error * curve
    by_w, by_x, by_b = by_z * at.x, by_z * at.w, by_z

    def seen(step: int, slope: float) -> float | None:
        return slope if at.back >= step else None

    nodes = [
        DrawnNode(name="x", label="x", column=0, row=0, value=at.x, slope=seen(5, by_x)),
        DrawnNode(name="w", label="w", column=0, row=1, value=at.w, slope=seen(5, by_w)),
        DrawnNode(name="b", label="b", column=0, row=2, value=at.b, slope=seen(4, by_b)),
        DrawnNode(name="p", label="w · x", column=1, row=0.5, value=product, slope=seen(4, by_z)),
        DrawnNode(name="z", label="z", column=2, row=1, value=z, slope=seen(3, by_z)),
        DrawnNode(name="a", label="σ(z)", column=3, row=1, value=a, slope=seen(2, by_a)),
        DrawnNode(name="loss", label="L", column=4, row=1, value=loss, slope=seen(1, 1.0)),
    ]
    arrows = [
        DrawnArrow(start="x", end="p", number=at.w),
        DrawnArrow(start="w", end="p", number=at.x),
        DrawnArrow(start="p", end="z", number=1),
        DrawnArrow(start="b", end="z", number=1),
        DrawnArrow(start="z", end="a", number=curve),
        DrawnArrow(start="a", end="loss", number=error),
    ]
    steps = [
        CalculationStep(label="at_loss", tex=r"\frac{\partial L}{\partial L} = ⟨1⟩"),
        CalculationStep(
            label="at_output",
            tex=rf"\frac{{\partial L}}{{\partial a}} = ⟨1⟩ \cdot {_n(error)} = {_n(by_a)}",
        ),
        CalculationStep(
            label="at_sum",
            tex=rf"\frac{{\partial L}}{{\partial z}} = {_n(by_a)} \cdot {_n(curve)} = {_n(by_z)}",
        ),
        CalculationStep(
            label="at_bias",
            tex=rf"\frac{{\partial L}}{{\partial b}} = {_n(by_z)} \cdot ⟨1⟩ = {_n(by_b)}",
        ),
        CalculationStep(
            label="at_weight",
            tex=rf"\frac{{\partial L}}{{\partial w}} = {_n(by_z)} \cdot {_n(at.x)} = {_n(by_w)}",
        ),
    ][: at.back]
    pictures: list[Picture] = [
        GraphPicture(
            kind="graph",
            label="graph",
            value_label="value",
            slope_label="slope",
            number_label="local",
            nodes=[
                node.model_copy(update={"marked": node.name in _reached(at.back)}) for node in nodes
            ],
            arrows=arrows,
        )
    ]
    if steps:
        pictures.append(StepsPicture(kind="steps", label="calculation", steps=steps))
    return Drawing(
        values={
            "z": z,
            "output": a,
            "loss": loss,
            "by_a": by_a,
            "curve": curve,
            "by_z": by_z,
            "by_w": by_w,
            "by_b": by_b,
            "by_x": by_x,
        },
        pictures=pictures,
    )


def _reached(back: int) -> set[str]:
    """The nodes whose slope came last."""
    return ({"loss"}, {"a"}, {"z"}, {"b", "p"}, {"w", "x"})[back - 1] if back else set()


class Branches(Parameters):
    """A number that is used twice: in x² and in 3x."""

    x: float = Field(2.0, ge=-4, le=4)


@experiment
def branches(at: Branches) -> Drawing:
    """y = x² + 3x: two ways lead back to x, and their slopes are added."""
    square, triple = at.x**2, 3 * at.x
    across = [step / 10 for step in range(-50, 31)]

    def total(x: float) -> float:
        return x * x + 3 * x

    slope = 2 * at.x + 3
    tangent: list[float | None] = [total(at.x) + slope * (x - at.x) for x in across]
    return Drawing(
        values={"by_square": 2 * at.x, "by_triple": 3.0, "slope": slope, "output": total(at.x)},
        pictures=[
            GraphPicture(
                kind="graph",
                label="graph",
                value_label="value",
                slope_label="slope",
                number_label="local",
                nodes=[
                    DrawnNode(
                        name="x", label="x", column=0, row=0.5, value=at.x, slope=slope, marked=True
                    ),
                    DrawnNode(name="s", label="x²", column=1, row=0, value=square, slope=1),
                    DrawnNode(name="t", label="3x", column=1, row=1, value=triple, slope=1),
                    DrawnNode(name="y", label="y", column=2, row=0.5, value=total(at.x), slope=1),
                ],
                arrows=[
                    DrawnArrow(start="x", end="s", number=2 * at.x),
                    DrawnArrow(start="x", end="t", number=3),
                    DrawnArrow(start="s", end="y", number=1),
                    DrawnArrow(start="t", end="y", number=1),
                ],
            ),
            CurvesPicture(
                kind="curves",
                label="tangent",
                x_label="x",
                y_label="y",
                x_range=(-5, 3),
                y_range=(-6, 18),
                curves=[
                    Curve(label="y = x² + 3x", x=across, y=[total(x) for x in across]),
                    Curve(label="tangent", x=across, y=tangent, dashed=True),
                ],
                points=[MovedPoint(label="x", x=at.x, y=total(at.x), sets_x="x")],
            ),
        ],
    )


class Difference(Parameters):
    """How small the step of a finite difference is, ten to some power, and on which side."""

    power: float = Field(-4.0, ge=-15, le=0)
    sides: Literal["one", "both"] = "both"


@experiment
def difference(at: Difference) -> Drawing:
    """The slope of σ at 1, measured, beside the exact one: how far off, for every step h."""
    exact = sigmoid(1.0) * (1 - sigmoid(1.0))

    def off(power: float, sides: str) -> float:
        h = 10**power
        low = 1.0 - h if sides == "both" else 1.0
        measured = (sigmoid(1.0 + h) - sigmoid(low)) / (1.0 + h - low)
        return max(abs(measured - exact), 1e-17)

    powers = [-15 + step / 4 for step in range(61)]
    best = min(powers, key=lambda power: off(power, at.sides))
    return Drawing(
        values={
            "exact": exact,
            "off": off(at.power, at.sides),
            "h": 10**at.power,
            "best_power": best,
        },
        pictures=[
            CurvesPicture(
                kind="curves",
                label="how_far_off",
                x_label="power",
                y_label="how_far_off",
                x_range=(-15, 0),
                y_range=(1e-17, 1),
                log_y=True,
                curves=[
                    Curve(label=sides, x=powers, y=[off(power, sides) for power in powers])
                    for sides in ("both", "one")
                ],
                points=[
                    MovedPoint(label="h", x=at.power, y=off(at.power, at.sides), sets_x="power")
                ],
            )
        ],
    )


class Own(Parameters):
    """A decoder, and a text of the reader's."""

    model: str = Field("vitral-es-gpt", min_length=1, max_length=300)
    text: str = Field("La lluvia cae despacio sobre los tejados de la ciudad.", max_length=400)


@experiment
def own_slopes(at: Own) -> Drawing:
    """Along a model's gradient: what the gradient says, and what a finite difference measures."""
    found = slopes_of_model(at.model, at.text)
    return Drawing(
        values={
            "said": found.said,
            "measured": found.measured,
            "off": abs(found.measured / found.said - 1),
            "weights": float(found.num_weights),
            "passes": float(2 * found.num_weights),
        },
        pictures=[
            BarsPicture(
                kind="bars",
                label="two_slopes",
                range=(0, 1.1 * max(found.said, found.measured)),
                digits=4,
                bars=[
                    Bar(label="said", value=found.said, marked=True),
                    Bar(label="measured", value=found.measured),
                ],
            )
        ],
    )
