"""Places: where in its material a token lies.

A place is one of a small closed set of records, or None for a token that lies nowhere in the
material: [CLS], a register, a class token. A new material adds its record here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TextSpan:
    """The characters [start, end) of a text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch of a picture: its row and column in the grid, from 0 at the upper left, and its
    box in the pixels of the picture that the model saw, `right` and `bottom` not included."""

    row: int
    column: int
    left: int
    top: int
    right: int
    bottom: int


Place = TextSpan | Patch | None

_PATCH = tuple(Patch.__dataclass_fields__)


def place_entries(place: Place) -> dict[str, Any]:
    """A place as JSON holds it. Spans keep the two entries that they have had from the start;
    every other kind stands under its own name."""
    if isinstance(place, Patch):
        patch = {name: getattr(place, name) for name in _PATCH}
        return {"start": None, "end": None, "patch": patch}
    if place is None:
        return {"start": None, "end": None}
    return {"start": place.start, "end": place.end}


def place_of(entries: Mapping[str, Any]) -> Place:
    """The place that `place_entries` wrote; ValueError for what is none."""
    patch = entries.get("patch")
    if patch is not None:
        numbers = [patch[name] for name in _PATCH]
        if not all(isinstance(each, int) and each >= 0 for each in numbers):
            raise ValueError(f"patch: {numbers}")
        return Patch(*numbers)
    start, end = entries.get("start"), entries.get("end")
    return None if start is None or end is None else TextSpan(start, end)
