"""The colours of weights and of the page they stand on, the same as in Studio.

"glass" is the default: lightness falls (on paper) or rises (on the dark ground) in equal steps,
and the hue uses pairs that colour-blind readers can distinguish, so that the order of
two weights is visible in grey as well. "course" runs from blue over a pale middle to red; it is
also the scale of differences, whose middle is zero. Stops are in OKLCH, where equal steps look
equal (Björn Ottosson, "A perceptual color space for image processing", 2020), and are those of
web/src/design/ramp.ts; a test compares the two files.
"""

import math
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vitral.errors import VitralError

Scale = Literal["glass", "course"]
Rgb = tuple[float, float, float]

NUM_COLOURS = 256


class Stop(NamedTuple):
    """A colour in OKLCH (lightness, chroma, hue in degrees) at a place from 0 to 1."""

    at: float
    lightness: float
    chroma: float
    hue: float


STOPS: dict[tuple[str, str], tuple[Stop, ...]] = {
    ("glass", "dark"): (
        Stop(0, 0.21, 0.025, 275),
        Stop(0.25, 0.395, 0.125, 280),
        Stop(0.5, 0.58, 0.12, 240),
        Stop(0.75, 0.765, 0.115, 180),
        Stop(1, 0.95, 0.125, 103),
    ),
    ("glass", "light"): (
        Stop(0, 0.965, 0.02, 100),
        Stop(0.25, 0.8, 0.09, 165),
        Stop(0.5, 0.635, 0.105, 220),
        Stop(0.75, 0.47, 0.12, 262),
        Stop(1, 0.305, 0.13, 288),
    ),
    ("course", "dark"): (
        Stop(0, 0.4, 0.13, 262),
        Stop(0.3, 0.6, 0.11, 255),
        Stop(0.5, 0.8, 0.015, 60),
        Stop(0.7, 0.7, 0.13, 40),
        Stop(1, 0.58, 0.215, 27),
    ),
    ("course", "light"): (
        Stop(0, 0.47, 0.14, 262),
        Stop(0.3, 0.7, 0.09, 255),
        Stop(0.5, 0.9, 0.012, 60),
        Stop(0.7, 0.72, 0.12, 40),
        Stop(1, 0.52, 0.2, 27),
    ),
}


class Ink(NamedTuple):
    """The colours of the ground and of text and lines, as in web/src/design/tokens.css, except for
    the light ground, which is the white of paper."""

    ground: str
    ink: str
    soft: str
    faint: str
    line: str
    lead: str
    source: str
    most: str


INKS = {
    "light": Ink(
        "#ffffff", "#1f1d1a", "#5b564c", "#736d60", "#c9c2b2", "#3a3733", "#1f5fbf", "#b93a16"
    ),
    "dark": Ink(
        "#101116", "#edeae2", "#aaa8a2", "#868893", "#454956", "#6a7080", "#7db4ff", "#ff8d66"
    ),
}


@cache
def ramp(scale: Scale, theme: str, lifted: bool = False) -> NDArray[np.float64]:
    """256 colours [256, 3] (red, green, blue from 0 to 1) for weights from zero to the largest.

    `lifted` highlights weak weights: colours follow the square root of the weight. Raises
    VitralError `figure_scale` for an unknown scale.
    """
    if (scale, theme) not in STOPS:
        known = ", ".join(sorted({name for name, _ in STOPS}))
        raise VitralError("figure_scale", scale=scale, known=known)
    stops = STOPS[scale, theme]
    values = [index / (NUM_COLOURS - 1) for index in range(NUM_COLOURS)]
    return np.array([_between(stops, math.sqrt(v) if lifted else v) for v in values])


def _between(stops: tuple[Stop, ...], value: float) -> Rgb:
    index = next(i for i in range(1, len(stops)) if stops[i].at >= value)
    low, high = stops[index - 1], stops[index]
    share = (value - low.at) / (high.at - low.at)
    mixed = [
        start + share * (end - start) for start, end in zip(_oklab(low), _oklab(high), strict=True)
    ]
    return _srgb(mixed[0], mixed[1], mixed[2])


def _oklab(stop: Stop) -> tuple[float, float, float]:
    angle = math.radians(stop.hue)
    return stop.lightness, stop.chroma * math.cos(angle), stop.chroma * math.sin(angle)


def _srgb(lightness: float, a: float, b: float) -> Rgb:
    """sRGB of a colour in OKLab; what a screen cannot show is clipped."""
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
    return (
        _companded(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _companded(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _companded(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short),
    )


def _companded(linear: float) -> float:
    inside = min(1.0, max(0.0, linear))
    coded = 12.92 * inside if inside <= 0.0031308 else 1.055 * inside ** (1 / 2.4) - 0.055
    return round(coded * 255) / 255
