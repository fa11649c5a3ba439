"""A surface: the material that tokens are parts of.

It does three things, whatever the material: say where a token is, paint weights on it, and say
which token is here. Tokens are given by their places, in the order of the sequence, so that a
surface knows nothing of models or traces.

    surface.where(token.place)          # its region of the material
    surface.paint(places, weights)      # an array over the material, such as a map of patches
    surface.token_at(places, point)     # the token there
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from vitral.surfaces.place import Place


class Surface(Protocol):
    """See the head of the file. `kind` is the name by which files and pages know it."""

    kind: ClassVar[str]

    @property
    def title(self) -> str:
        """A name of the material for people: the text itself, a picture's name."""

    def where(self, place: Place) -> tuple[int, ...] | None:
        """The region of a place: (start, end) characters, (left, top, right, bottom) pixels.
        None for a place that is not on this surface."""

    def paint(self, places: Sequence[Place], weights: Sequence[float]) -> NDArray[np.float32]:
        """The weights, one a place, laid on the material; NaN where no token is."""

    def token_at(self, places: Sequence[Place], point: tuple[float, ...]) -> int | None:
        """Which token is at a point of the material: (character,), (x, y). None if none is."""

    def entries(self) -> dict[str, Any]:
        """Its description in files and pages, as JSON."""

    @property
    def material(self) -> bytes | None:
        """The part that JSON cannot hold: a picture's PNG."""

    @classmethod
    def read(cls, entries: Mapping[str, Any], material: bytes | None) -> Self:
        """The surface that `entries` and `material` describe; ValueError if they do not fit."""
