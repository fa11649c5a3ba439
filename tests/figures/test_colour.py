"""The figures' colours are Studio's, and keep their order in grey."""

import re
from pathlib import Path

import numpy as np
import pytest

from vitral.errors import VitralError
from vitral.figures.colour import INKS, STOPS, ramp

WEB = Path(__file__).parents[2] / "web" / "src" / "design"


def lightness(colours: np.ndarray) -> np.ndarray:
    """OKLab's lightness of sRGB colours [n, 3] from 0 to 1."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    cones = linear @ np.array(
        [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    return np.cbrt(cones) @ [0.2104542553, 0.793617785, -0.0040720468]


def test_the_stops_are_those_of_the_page() -> None:
    source = (WEB / "ramp.ts").read_text(encoding="utf-8")
    stop = r"\{ at: ([\d.]+), l: ([\d.]+), c: ([\d.]+), h: ([\d.]+) \}"
    found = [tuple(map(float, numbers)) for numbers in re.findall(stop, source)]
    ours = [tuple(stop) for stops in STOPS.values() for stop in stops]
    assert found == ours
    scales = re.findall(r"^  (\w+): \{$", source, re.MULTILINE)
    assert scales == list(dict.fromkeys(scale for scale, _ in STOPS))


def test_the_inks_are_those_of_the_page_but_for_the_paper() -> None:
    source = (WEB / "tokens.css").read_text(encoding="utf-8")
    for name, field in (
        ("ink", "ink"),
        ("ink-soft", "soft"),
        ("source", "source"),
        ("most", "most"),
    ):
        light, dark = re.findall(rf"--{name}: light-dark\((#\w+), (#\w+)\)", source)[0]
        assert (getattr(INKS["light"], field), getattr(INKS["dark"], field)) == (light, dark)
    assert INKS["dark"].ground in source
    assert INKS["light"].ground == "#ffffff"


@pytest.mark.parametrize(("theme", "sign"), [("light", -1), ("dark", 1)])
def test_lightness_goes_one_way_in_even_steps(theme: str, sign: int) -> None:
    steps = sign * np.diff(lightness(ramp("glass", theme)[::16]))
    assert steps.min() > 0
    assert steps.max() < 1.35 * steps.mean()


def test_the_middle_of_the_diverging_scale_is_without_hue() -> None:
    for theme in ("light", "dark"):
        colours = ramp("course", theme)
        assert np.ptp(colours[128]) < 0.1
        assert colours[0].argmax() == 2, "blue"
        assert colours[-1].argmax() == 0, "red"


def test_lifting_brings_weak_weights_forward() -> None:
    plain, lifted = ramp("glass", "light"), ramp("glass", "light", lifted=True)
    for index in (16, 64, 144):
        there = round(255 * (index / 255) ** 0.5)
        np.testing.assert_allclose(lifted[index], plain[there], atol=0.01)


def test_a_scale_that_is_not_there_is_named() -> None:
    with pytest.raises(VitralError, match=r"rainbow.*course, glass"):
        ramp("rainbow", "light")  # type: ignore[arg-type]
