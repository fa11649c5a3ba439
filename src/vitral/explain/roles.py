"""What a head does, in words: from its measures to one plain sentence.

The first rule that fits names the role. A head whose attention goes to the first token or to
separators is called inactive: heads without an effect attend there (Clark et al. 2019,
arXiv:1906.04341, section 3.2; Xiao et al. 2023, arXiv:2309.17453). The thresholds are ours, and
simple: a role is given if at least half of the attention goes there. They are an approximation, not
a proof; what a head does to the model's answer is what `ablate` measures.
"""

import math
from collections.abc import Mapping

from vitral.messages import message
from vitral.messages.written_numbers import decimal, whole

HALF = 0.5
EVEN = 0.9
NEAR = 4.0

ROLES = (
    "idle_first",
    "previous",
    "next",
    "same",
    "induction",
    "duplicate",
    "idle_separators",
    "even",
    "near",
    "mixed",
)


def role_of(numbers: Mapping[str, float]) -> str:
    """The role, one of `ROLES`, of a head with these measures (by name; NaN counts as absent)."""

    def at_least(name: str, limit: float) -> bool:
        value = numbers.get(name, math.nan)
        return value >= limit

    if at_least("first", HALF) and not at_least("previous", HALF):
        return "idle_first"
    for name in ("previous", "next", "same", "induction", "duplicate"):
        if at_least(name, HALF):
            return name
    if at_least("separators", HALF) and not at_least("entropy", EVEN):
        return "idle_separators"
    if at_least("entropy", EVEN):
        return "even"
    if numbers.get("distance", math.inf) < NEAR:
        return "near"
    return "mixed"


_SHOWN = {
    "idle_first": "first",
    "idle_separators": "separators",
    "even": "entropy",
    "near": "distance",
    "mixed": "confidence",
}


def role_sentence(numbers: Mapping[str, float], language: str | None = None) -> str:
    """What the head does, in one plain sentence with the number that it rests on."""
    role = role_of(numbers)
    value = numbers.get(_SHOWN.get(role, role), math.nan)
    if role == "near":
        said = decimal(value, 1, language)
    else:
        said = "?" if math.isnan(value) else whole(100 * value, language)
    return message(f"role.{role}", language, value=said)
