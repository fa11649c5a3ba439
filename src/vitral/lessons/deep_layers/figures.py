"""The lesson's experiments: a deep network's layers, one layer's factor, and a model's layers."""

from math import log10, sqrt

from pydantic import Field

from vitral.lessons.deep_layers.network import (
    SCALES,
    WIDTH,
    ActivationName,
    NormName,
    StartName,
    through,
)
from vitral.lessons.deep_layers.of_model import layers_of_model
from vitral.lessons.experiment import Parameters, experiment
from vitral.lessons.picture import Curve, CurvesPicture, Drawing

SMALLEST = 1e-300


class Deep(Parameters):
    """A network of 64 units a layer: how deep, and what it is made of."""

    depth: int = Field(30, ge=2, le=60)
    activation: ActivationName = "sigmoid"
    start: StartName = "xavier"
    norm: NormName = "none"
    residual: bool = False


def sizes_picture(label: str, sizes: tuple[float, ...]) -> CurvesPicture:
    """One size a layer, on an axis of powers of ten that holds at least one to each side of 1."""
    shown = [max(each, SMALLEST) for each in sizes]
    low = min(-1, *(int(log10(each)) - 1 for each in shown))
    high = max(1, *(int(log10(each)) + 1 for each in shown))
    return CurvesPicture(
        kind="curves",
        label=label,
        x_label="layer",
        y_label="size",
        x_range=(1, len(shown)),
        y_range=(10.0**low, 10.0**high),
        log_y=True,
        curves=[Curve(label=label, x=[float(at + 1) for at in range(len(shown))], y=list(shown))],
    )


def verdict(ratio: float) -> str:
    """What becomes of a gradient on its way back to the first layer."""
    if 0.01 <= ratio <= 100:
        return "arrives"
    return "vanishes" if ratio < 1 else "explodes"


@experiment
def deep(at: Deep) -> Drawing:
    """What each layer gives, and the gradient that comes back to it."""
    outputs, slopes = through(at.depth, at.activation, at.start, at.norm, at.residual)
    ratio = slopes[0] / slopes[-1] if slopes[-1] else 0.0
    return Drawing(
        values={
            "output": outputs[-1],
            "gain": SCALES[at.start] * sqrt(WIDTH / 2),
            "first_slope": slopes[0],
            "ratio": ratio,
            "a_layer": ratio ** (1 / (at.depth - 1)),
            "verdict": verdict(ratio),
        },
        pictures=[
            sizes_picture("outputs", outputs),
            sizes_picture("slopes", slopes),
        ],
    )


class Power(Parameters):
    """A factor, and how many times it is applied."""

    factor: float = Field(0.25, ge=0.1, le=2)
    layers: int = Field(30, ge=1, le=60)


@experiment
def powers(at: Power) -> Drawing:
    """A factor for each layer, multiplied again and again."""
    sizes = tuple(at.factor**layer for layer in range(1, at.layers + 1))
    if len(sizes) == 1:
        sizes = (1.0, *sizes)
    return Drawing(
        values={"product": at.factor**at.layers},
        pictures=[sizes_picture("product", sizes)],
    )


class Own(Parameters):
    """A decoder, and a text of the reader's."""

    model: str = Field("vitral-es-gpt", min_length=1, max_length=300)
    text: str = Field("La lluvia cae despacio sobre los tejados de la ciudad.", max_length=400)


@experiment
def own_layers(at: Own) -> Drawing:
    """What each layer of a model gives on a text, and the gradient that comes back to it."""
    outputs, slopes = layers_of_model(at.model, at.text)
    ratio = slopes[0] / slopes[-1]
    return Drawing(
        values={
            "layers": float(len(outputs)),
            "growth": outputs[-1] / outputs[0],
            "ratio": ratio,
            "verdict": verdict(ratio),
        },
        pictures=[
            sizes_picture("outputs", outputs),
            sizes_picture("slopes", slopes),
        ],
    )
