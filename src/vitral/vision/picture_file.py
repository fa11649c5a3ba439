"""A picture as red, green and blue, eight bits each: from a file, a PIL image or an array.

What is changed on the way in is noted, never hidden: the first frame of an animation, a photo
turned upright (EXIF), what was see-through put on white, colours that had more bits or were made
for print. What is no picture, is cut short or would fill the memory is refused, and how large a
picture is is known before it is decoded.
"""

import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vitral.errors import VitralError

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
"""Nothing else is opened: some of Pillow's other formats call programs outside."""
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm")
MOST_MEGAPIXELS = 64
MOST_ELONGATED = 50
"""How many times the shorter side the longer one may be: processors resize by the shorter."""


@dataclass(frozen=True, eq=False)
class Picture:
    """An RGB image, its name, and notes of what was done (keys `studio.picture_note_…`)."""

    image: "Image"
    name: str
    notes: tuple[str, ...]


def read_picture(source: Any, name: str = "") -> Picture:
    """The picture in `source`: a path, the bytes of a file, a PIL image or an array [H, W, 3],
    [H, W, 4] or [H, W], of bytes, or of floats from 0 to 1. `name` is what it is called.

    Raises VitralError `picture_missing`, `picture_unread` (no picture, or of a format that is
    not read), `picture_damaged` (cut short), `picture_too_large`, `picture_too_narrow`,
    `picture_values` (an array that is no picture).
    """
    from PIL import Image, UnidentifiedImageError

    if isinstance(source, Image.Image):
        return _upright_rgb(source, name or Path(getattr(source, "filename", "")).name)
    if isinstance(source, str | os.PathLike):
        name = name or Path(source).name
        source = _file(source)
    if not isinstance(source, bytes):
        return _upright_rgb(_of_array(source), name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(source), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise VitralError("picture_too_large", name=name, limit=MOST_MEGAPIXELS) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise VitralError("picture_unread", name=name, known=", ".join(FORMATS)) from error
    return _upright_rgb(image, name)


def is_picture(source: Any) -> bool:
    """Whether the argument of a model is a picture, and not a text or ids."""
    if isinstance(source, bytes):
        return True
    if isinstance(source, os.PathLike):
        return Path(source).suffix.lower() in ENDINGS
    return hasattr(source, "getbands") or (hasattr(source, "__array__") and hasattr(source, "ndim"))


def _file(path: str | os.PathLike[str]) -> bytes:
    path = Path(path).expanduser()
    try:
        if not path.is_file():
            raise VitralError("picture_missing", path=str(path)[:200])
        return path.read_bytes()
    except (OSError, ValueError) as error:  # no right to read it; a name that no file can have
        raise VitralError("picture_missing", path=str(path)[:200]) from error


def _of_array(values: Any) -> "Image":
    from PIL import Image

    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise VitralError("picture_values", given=type(values).__name__) from error
    shape = f"{array.dtype} {list(array.shape)}"
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise VitralError("picture_values", given=shape)
    if array.ndim == 3 and array.shape[2] not in (3, 4):
        raise VitralError("picture_values", given=shape)
    if array.dtype.kind == "f" and bool(((array >= 0) & (array <= 1)).all()):
        array = (array * 255).round().astype(np.uint8)
    if array.dtype != np.uint8:
        raise VitralError("picture_values", given=shape)
    return Image.fromarray(np.ascontiguousarray(array))


def _upright_rgb(image: "Image", name: str) -> Picture:
    from PIL import ImageOps

    _check_size(image.size, name)
    notes = []
    try:
        if getattr(image, "is_animated", False):
            image.seek(0)
            notes.append("first_frame")
        image.load()
        turned = ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, IndexError, EOFError) as error:
        raise VitralError("picture_damaged", name=name) from error
    if turned.size != image.size or turned.tobytes() != image.tobytes():
        notes.append("turned")
    rgb, how = _rgb(turned, name)
    return Picture(rgb, name, (*notes, *how))


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if min(size) < 1:
        raise VitralError("picture_damaged", name=name)
    if width * height > MOST_MEGAPIXELS * 1_000_000:
        raise VitralError("picture_too_large", name=name, limit=MOST_MEGAPIXELS)
    if max(size) > MOST_ELONGATED * min(size):
        raise VitralError(
            "picture_too_narrow", name=name, width=width, height=height, limit=MOST_ELONGATED
        )


def _rgb(image: "Image", name: str) -> tuple["Image", list[str]]:
    """The image in RGB, and what that took."""
    from PIL import Image

    if image.mode == "RGB" and "transparency" not in image.info:
        return image, []
    if image.mode in ("I;16", "I;16L", "I;16B", "I;16N", "I"):
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise VitralError("picture_mode", name=name, mode=image.mode)
        eight = (values / 257).round().astype(np.uint8)
        return Image.fromarray(eight).convert("RGB"), ["sixteen_bits"]
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        clear = image.convert("RGBA")
        if clear.getchannel("A").getextrema() == (255, 255):
            return clear.convert("RGB"), []
        white = Image.new("RGBA", clear.size, "white")
        return Image.alpha_composite(white, clear).convert("RGB"), ["on_white"]
    if image.mode in ("1", "L", "P"):
        return image.convert("RGB"), []
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        return image.convert("RGB"), ["from_print"] if image.mode == "CMYK" else []
    raise VitralError("picture_mode", name=name, mode=image.mode)
