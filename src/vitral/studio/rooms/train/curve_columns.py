"""A run's curve as columns, for the page. A long one is reduced to a maximum number of points, each
the mean of equally many steps.
"""

import math
from collections.abc import Sequence
from typing import Any

MOST_POINTS, MOST_GRADIENTS = 2000, 300

Columns = dict[str, list[float | None]]


def columns_of(lines: Sequence[dict[str, Any]], most: int = MOST_POINTS) -> Columns:
    """Lines of `steps.jsonl` as columns `step`, `loss`, `rate`, `gradient_norm`, `tokens` and
    `seconds`.

    More than `most` lines are grouped: a group has its mean loss and norm, the sum of its
    seconds, and the last of the other values.
    """
    together = max(1, math.ceil(len(lines) / most))
    groups = [lines[first : first + together] for first in range(0, len(lines), together)]
    columns: Columns = {"step": [], "loss": [], "rate": [], "gradient_norm": [], "tokens": []}
    columns["seconds"] = []
    for group in groups:
        last = group[-1]
        for name in ("step", "rate", "tokens"):
            columns[name].append(last.get(name))
        columns["seconds"].append(sum(line.get("seconds", 0.0) for line in group))
        for name in ("loss", "gradient_norm"):
            columns[name].append(_mean([line.get(name) for line in group]))
    return columns


def gradients_of(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps in which the gradient of each part was measured: `step` and `norms`."""
    found = [line for line in lines if "gradient_norms" in line]
    every = max(1, math.ceil(len(found) / MOST_GRADIENTS))
    return [{"step": line["step"], "norms": line["gradient_norms"]} for line in found[::every]]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
