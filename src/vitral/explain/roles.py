"""What a head does, in words: from its measures to one plain sentence.

Heads rest: they give weight to special tokens and, in decoders, to the first token, where there
is nothing to read (`resting`). So a role is read off what is left when resting tokens are left out
and the rest of each row is scaled to one, and the sentence says how much rests. How much a head
rests is no verdict: half of a row may rest, and the other half do the work.

*Idle* is a head that writes next to nothing: less than `NOTHING` of what the head of its layer
writes that writes most (`writes`, the norm-weighted sum of what does not rest: Kobayashi et al.
2020, arXiv:2004.10102). Without the model that cannot be known; then a head is idle of which all
but `NOTHING` rests.

Of the others the first rule that fits names the role. The thresholds are ours, and simple: a role
is given if at least half of the attention that does not rest goes there. They are an
approximation, not a proof; what a head does to the model's answer is what `ablate` measures.
"""

import math
from collections.abc import Mapping

from vitral.messages import message
from vitral.messages.written_numbers import decimal, whole

HALF = 0.5
EVEN = 0.9
NEAR = 4.0
NOTHING = 0.05
SAID = 0.1
"""Resting of which a sentence speaks."""

ROLES = (
    "idle",
    "previous",
    "next",
    "same",
    "induction",
    "duplicate",
    "first",
    "separators",
    "even",
    "near",
    "mixed",
)


def role_of(numbers: Mapping[str, float]) -> str:
    """The role, one of `ROLES`, of a head with these measures (by name; NaN counts as absent):
    `resting` and `writes` of all its attention, the others of what does not rest."""

    def at_least(name: str, limit: float) -> bool:
        value = numbers.get(name, math.nan)
        return value >= limit

    if is_idle(numbers):
        return "idle"
    if at_least("first", HALF) and not at_least("previous", HALF):
        return "first"
    for name in ("previous", "next", "same", "induction", "duplicate"):
        if at_least(name, HALF):
            return name
    if at_least("separators", HALF) and not at_least("entropy", EVEN):
        return "separators"
    if at_least("entropy", EVEN):
        return "even"
    if numbers.get("distance", math.inf) < NEAR:
        return "near"
    return "mixed"


def is_idle(numbers: Mapping[str, float]) -> bool:
    """Whether a head writes next to nothing; see the head of the file."""
    written = numbers.get("writes", math.nan)
    if math.isnan(written):
        return numbers.get("resting", 0.0) > 1 - NOTHING
    return written < NOTHING


_SHOWN = {"even": "entropy", "near": "distance", "mixed": "confidence"}


def role_sentence(
    numbers: Mapping[str, float], language: str | None = None, *, says_rest: bool = True
) -> str:
    """What the head does, in one plain sentence with the number that it rests on; and, if it
    `says_rest`, how much of its attention rests."""
    role = role_of(numbers)
    resting = numbers.get("resting", math.nan)
    if role == "idle":
        known = not math.isnan(numbers.get("writes", math.nan))
        share = _percent(numbers["writes"] if known else resting, language)
        return message("role.idle" if known else "role.idle_unknown", language, value=share)
    value = numbers.get(_SHOWN.get(role, role), math.nan)
    said = decimal(value, 1, language) if role == "near" else _percent(value, language)
    sentence = message(f"role.{role}", language, value=said)
    if says_rest and resting >= SAID:
        rests = _percent(resting, language)
        return message("role.apart_from_rest", language, sentence=sentence, value=rests)
    return sentence


def _percent(share: float, language: str | None) -> str:
    return "?" if math.isnan(share) else whole(100 * share, language)
