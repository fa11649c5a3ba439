"""The surfaces by name: a new one is a file in this folder, and a line here."""

from collections.abc import Mapping
from typing import Any

from vitral.surfaces.picture import PictureSurface
from vitral.surfaces.surface import Surface
from vitral.surfaces.text import TextSurface

SURFACES: dict[str, type[Surface]] = {
    "text": TextSurface,
    "picture": PictureSurface,
}


def read_surface(entries: Mapping[str, Any], material: bytes | None) -> Surface:
    """The surface that a file or a page describes; ValueError where it is not known or unfit."""
    kind = entries["kind"]
    if kind not in SURFACES:
        raise ValueError(f"surface: {kind}")
    return SURFACES[kind].read(entries, material)
