"""The property by finite differences: right slopes hold, wrong ones do not."""

from collections.abc import Callable
from typing import Any

import pytest

from vitral.lessons.running.properties import PROPERTIES


def holds(function: Callable[..., Any], arguments: list[Any]) -> bool:
    derivative = PROPERTIES["derivative"]
    answers = [function(*call) for call in derivative.calls(arguments)]
    return derivative.holds(arguments, answers, 1e-6)


@pytest.mark.parametrize(
    ("function", "arguments", "right"),
    [
        (lambda x: [x**3, 3 * x**2], [1.5], True),
        (lambda x: [x**3, 2 * x**2], [1.5], False),
        (lambda x, k: [k * x[0] * x[1], [k * x[1], k * x[0]]], [[2.0, -1.0], 3.0], True),
        (lambda x, k: [k * x[0] * x[1], [k * x[0], k * x[1]]], [[2.0, -1.0], 3.0], False),
        (lambda x: [x**2, [2 * x, 0.0]], [1.0], False),
        (lambda x: x, [1.0], False),
        (lambda x: [[x, x], 1.0], [1.0], False),
    ],
)
def test_slopes_agree_with_finite_differences(
    function: Callable[..., Any], arguments: list[Any], right: bool
) -> None:
    assert holds(function, arguments) is right
