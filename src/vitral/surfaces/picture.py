"""A picture as a surface: places are patches of a grid.

The picture is the one that the model saw, after resizing and cropping and before its colours
were normalised, pixel for pixel. Its position in the original picture is known as well, unless
the image processor does more than resize and crop.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from vitral.surfaces.place import Patch, Place

MOST_BYTES = 32 * 2**20
"""The largest PNG that is kept in a trace."""
MOST_SIDE = 8192

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class PictureSurface:
    """A picture of `width` × `height` pixels, cut into `rows` × `columns` patches (0 × 0 where
    the model's tokens are not patches of it).

    `name` is the file's; `original` the width and height of the picture given; `seen` the box
    (left, top, right, bottom) of that picture which the model saw, in its pixels; `notes` say
    what was done to it on the way in, as keys of the catalogue (`studio.picture_note_…`).
    """

    png: bytes
    width: int
    height: int
    rows: int
    columns: int
    name: str = ""
    original: tuple[int, int] | None = None
    seen: tuple[float, float, float, float] | None = None
    notes: tuple[str, ...] = ()
    kind: ClassVar[str] = "picture"

    @property
    def title(self) -> str:
        return self.name

    def where(self, place: Place) -> tuple[int, int, int, int] | None:
        if not isinstance(place, Patch):
            return None
        return place.left, place.top, place.right, place.bottom

    def in_original(self, place: Place) -> tuple[float, float, float, float] | None:
        """The region of a place in the picture given, in its pixels; None where not known."""
        box = self.where(place)
        if box is None or self.seen is None:
            return None
        left, top, right, bottom = self.seen
        across, down = (right - left) / self.width, (bottom - top) / self.height
        return (
            left + box[0] * across,
            top + box[1] * down,
            left + box[2] * across,
            top + box[3] * down,
        )

    def paint(self, places: Sequence[Place], weights: Sequence[float]) -> NDArray[np.float32]:
        """A weight for each patch: [rows, columns]."""
        painted = np.full((self.rows, self.columns), np.nan, np.float32)
        for place, weight in zip(places, weights, strict=True):
            if isinstance(place, Patch):
                painted[place.row, place.column] = weight
        return painted

    def token_at(self, places: Sequence[Place], point: tuple[float, ...]) -> int | None:
        """The token whose patch holds the pixel at `point`, (x, y) from the upper left."""
        x, y = point
        for token, place in enumerate(places):
            if isinstance(place, Patch):
                inside = place.left <= x < place.right and place.top <= y < place.bottom
                if inside:
                    return token
        return None

    def entries(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "width": self.width,
            "height": self.height,
            "rows": self.rows,
            "columns": self.columns,
            "name": self.name,
            "original": None if self.original is None else list(self.original),
            "seen": None if self.seen is None else list(self.seen),
            "notes": list(self.notes),
        }

    @property
    def material(self) -> bytes | None:
        return self.png

    @classmethod
    def read(cls, entries: Mapping[str, Any], material: bytes | None) -> Self:
        sizes = [entries[name] for name in ("width", "height", "rows", "columns")]
        if not all(isinstance(each, int) and 0 <= each <= MOST_SIDE for each in sizes):
            raise ValueError(f"surface: {sizes}")
        width, height, rows, columns = sizes
        if material is None or size_of_png(material) != (width, height):
            raise ValueError("surface: png")
        original, seen = entries.get("original"), entries.get("seen")
        return cls(
            material,
            width,
            height,
            rows,
            columns,
            str(entries.get("name", "")),
            None if original is None else (int(original[0]), int(original[1])),
            None if seen is None else (*map(float, seen[:2]), *map(float, seen[2:4])),  # type: ignore[arg-type]
            tuple(map(str, entries.get("notes", ()))),
        )


def size_of_png(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG, from its header; ValueError for what is none, or too large."""
    if len(png) > MOST_BYTES or len(png) < 33 or not png.startswith(_SIGNATURE + b"\0\0\0\rIHDR"):
        raise ValueError("surface: png")
    width, height = struct.unpack(">II", png[16:24])
    return width, height
