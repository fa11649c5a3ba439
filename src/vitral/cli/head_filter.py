"""The value of `vitral heads --filter`: a measure, a comparison, a number ("previous > 0.5")."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vitral.errors import VitralError

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_FORM = re.compile(r"\s*([a-z_]+)\s*(>=|<=|>|<)\s*(\d+(?:[.,]\d+)?)\s*(%?)\s*")


@dataclass(frozen=True)
class HeadFilter:
    """One condition on a head's measures."""

    name: str
    comparison: str
    limit: float

    @classmethod
    def read(cls, written: str) -> "HeadFilter":
        """From "previous > 0.5", "entropy<=90%", "distance < 3,5".

        Raises VitralError `filter_wrong`, `measure_unknown`.
        """
        from vitral.explain import MEASURES

        match = _FORM.fullmatch(written)
        if match is None:
            raise VitralError("filter_wrong", filter=written)
        name, comparison, number, percent = match.groups()
        if name not in MEASURES:
            raise VitralError("measure_unknown", measure=name, known=", ".join(MEASURES))
        limit = float(number.replace(",", "."))
        if not math.isfinite(limit):
            raise VitralError("filter_wrong", filter=written)
        return cls(name, comparison, limit / 100 if percent else limit)

    def keeps(self, numbers: Mapping[str, Any]) -> bool:
        """Whether a head with these measures meets the condition; an undefined measure does not."""
        return _COMPARISONS[self.comparison](numbers[self.name], self.limit)
