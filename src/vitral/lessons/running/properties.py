"""Properties that a function should have whatever it is given, beside being right.

Each asks for calls of its own, made from one list of arguments, and looks at what came back. A
lesson names them in `properties`; the first argument is the one that is varied.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

SHIFT = 1.75
NUDGE = 1e-4


@dataclass(frozen=True)
class Property:
    """`calls` for one list of arguments, and whether what these returned `holds`."""

    calls: Callable[[list[Any]], list[list[Any]]]
    holds: Callable[[list[Any], Sequence[Any], float], bool]


def close(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two answers are the same numbers in the same places. Plain data only."""
    if isinstance(one, bool | str) or isinstance(other, bool | str) or one is None or other is None:
        return type(one) is type(other) and bool(one == other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(
            close(a, b, tolerance) for a, b in zip(one, other, strict=True)
        )
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other or abs(one - other) <= tolerance * max(1.0, abs(other))
    return False


def _numbers(value: Any) -> list[float]:
    if isinstance(value, list):
        return [number for each in value for number in _numbers(each)]
    return [float(value)] if isinstance(value, int | float) else []


def _shifted(value: Any, by: float) -> Any:
    return [_shifted(each, by) for each in value] if isinstance(value, list) else value + by


def _rows(value: Any) -> list[Any]:
    nested = isinstance(value, list) and value and isinstance(value[0], list)
    return list(value) if nested else [value]


def _rows_sum_to_one(arguments: list[Any], found: Sequence[Any], tolerance: float) -> bool:
    sums = [sum(_numbers(row)) for row in _rows(found[0])]
    return all(abs(each - 1) <= max(tolerance, 1e-6) for each in sums)


def _alike(arguments: list[Any], found: Sequence[Any], tolerance: float) -> bool:
    return close(found[0], found[1], max(tolerance, 1e-6))


def _not_negative(arguments: list[Any], found: Sequence[Any], tolerance: float) -> bool:
    return all(number >= 0 for number in _numbers(found[0]))


def _rises(arguments: list[Any], found: Sequence[Any], tolerance: float) -> bool:
    return all(a <= b for a, b in zip(_numbers(found[0]), _numbers(found[1]), strict=False))


def _moved(given: list[Any], place: int | None, by: float) -> list[Any]:
    """The call with its first argument (or one component of it) moved."""
    first = given[0]
    if place is None:
        return [first + by, *given[1:]]
    return [[each + by * (at == place) for at, each in enumerate(first)], *given[1:]]


def _both_sides(given: list[Any]) -> list[list[Any]]:
    places: list[int | None] = list(range(len(given[0]))) if isinstance(given[0], list) else [None]
    return [given, *(_moved(given, place, by) for place in places for by in (NUDGE, -NUDGE))]


def _derivative(arguments: list[Any], found: Sequence[Any], tolerance: float) -> bool:
    """Each answer is [value, slopes by the first argument]; finite differences give the slopes."""
    if not all(isinstance(answer, list) and len(answer) == 2 for answer in found):
        return False
    values = [_numbers(value) for value, _ in found]
    if not all(len(value) == 1 for value in values):
        return False
    sides = [value for (value,) in values[1:]]
    measured = [(up - down) / (2 * NUDGE) for up, down in zip(sides[::2], sides[1::2], strict=True)]
    return close(_numbers(found[0][1]), measured, max(tolerance, 1e-5))


PROPERTIES: dict[str, Property] = {
    "rows_sum_to_one": Property(lambda given: [given], _rows_sum_to_one),
    "not_negative": Property(lambda given: [given], _not_negative),
    "shift_invariant": Property(
        lambda given: [given, [_shifted(given[0], SHIFT), *given[1:]]], _alike
    ),
    "derivative": Property(_both_sides, _derivative),
    "rises": Property(lambda given: [given, [_shifted(given[0], NUDGE), *given[1:]]], _rises),
}
"""By name; `error.judge_<name>` says that one does not hold."""
