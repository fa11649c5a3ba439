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


PROPERTIES: dict[str, Property] = {
    "rows_sum_to_one": Property(lambda given: [given], _rows_sum_to_one),
    "not_negative": Property(lambda given: [given], _not_negative),
    "shift_invariant": Property(
        lambda given: [given, [_shifted(given[0], SHIFT), *given[1:]]], _alike
    ),
    "rises": Property(lambda given: [given, [_shifted(given[0], NUDGE), *given[1:]]], _rises),
}
"""By name; `error.judge_<name>` says that one does not hold."""
