"""A text as a surface: places are spans of characters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from vitral.surfaces.place import Place, TextSpan


@dataclass(frozen=True)
class TextSurface:
    """The text that tokens are slices of."""

    text: str
    kind: ClassVar[str] = "text"

    @property
    def title(self) -> str:
        return self.text

    def where(self, place: Place) -> tuple[int, int] | None:
        return (place.start, place.end) if isinstance(place, TextSpan) else None

    def paint(self, places: Sequence[Place], weights: Sequence[float]) -> NDArray[np.float32]:
        """A weight for each character: [characters]. Those of tokens that share one (a letter
        that was split into bytes) are added; NaN between the tokens."""
        painted = np.full(len(self.text), np.nan, np.float32)
        for place, weight in zip(places, weights, strict=True):
            if isinstance(place, TextSpan):
                span = painted[place.start : place.end]
                span[:] = np.where(np.isnan(span), weight, span + weight)
        return painted

    def token_at(self, places: Sequence[Place], point: tuple[float, ...]) -> int | None:
        """The first token that holds the character at `point`, (character,)."""
        (at,) = point
        spans = enumerate(places)
        return next(
            (i for i, p in spans if isinstance(p, TextSpan) and p.start <= at < p.end), None
        )

    def entries(self) -> dict[str, Any]:
        return {"kind": self.kind}

    @property
    def material(self) -> bytes | None:
        return self.text.encode()

    @classmethod
    def read(cls, entries: Mapping[str, Any], material: bytes | None) -> Self:
        return cls((material or b"").decode())
