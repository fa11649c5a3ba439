"""A model's image processor: from a picture to the numbers that the model reads, and back.

The image processor is transformers', on Pillow and numpy (it needs no torchvision). It resizes,
crops, and normalises the colours. The picture that the model sees is the one before normalisation;
Vitral checks every time that the numbers are these pixels, each colour scaled and shifted. The
position of the crop in the original picture is found by processing the picture without cropping,
and checked as well.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vitral.errors import VitralError
from vitral.models.load import ONE_AT_A_TIME, quiet_transformers
from vitral.tracing.recording.inputs import device_of
from vitral.vision.picture_file import Picture

FILES = ("preprocessor_config.json", "processor_config.json")
_PLAIN = {"do_rescale": False, "do_normalize": False, "return_tensors": "np"}

Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Seen:
    """`pixels` [1, C, H, W] are what the model reads, `png` shows them, `box` (left, top, right,
    bottom) is where that was in the picture given, in its pixels; None where not known."""

    pixels: Tensor
    png: bytes
    width: int
    height: int
    box: Box | None


def open_processor(folder: Path) -> Any:
    """The folder's image processor, or None if it has none.

    Raises VitralError `processor_damaged`, or `processor_needs` where it is one of the few that
    transformers has only for torchvision.
    """
    path = next((folder / name for name in FILES if (folder / name).is_file()), None)
    if path is None:
        return None
    try:
        with ONE_AT_A_TIME, quiet_transformers():
            from transformers import AutoImageProcessor

            known = {"local_files_only": True, "trust_remote_code": False}
            return AutoImageProcessor.from_pretrained(folder, backend="pil", **known)
    except ImportError as error:
        command = "pip install torchvision"
        raise VitralError("processor_needs", path=str(path), command=command) from error
    except Exception as error:  # as many kinds as there are processors
        reason = " ".join(str(error).split())[:300]
        raise VitralError("processor_damaged", path=str(path), reason=reason) from error


def is_processor(thing: Any) -> bool:
    """Whether something that came with a model makes pictures into numbers."""
    return "pixel_values" in getattr(thing, "model_input_names", ())


def see(processor: Any, picture: Picture, model: str) -> Seen:
    """What the model reads of a picture.

    Raises VitralError `processor_unfit` for a processor that makes something else of it than one
    picture (several crops, flattened patches), or fails.
    """
    try:
        pixels = processor(picture.image, return_tensors="pt")["pixel_values"]
        shown = np.asarray(processor(picture.image, **_PLAIN)["pixel_values"])
    except Exception as error:  # as many kinds as there are processors
        reason = " ".join(str(error).split())[:300]
        raise VitralError("processor_unfit", model=model, reason=reason) from error
    if pixels.dim() != 4 or tuple(pixels.shape[:2]) != (1, 3) or shown.shape != tuple(pixels.shape):
        reason = f"pixel_values {list(pixels.shape)}"
        raise VitralError("processor_unfit", model=model, reason=reason)
    colours = np.moveaxis(shown[0], 0, -1)
    if not _shows(colours, pixels[0].float().numpy()):
        raise VitralError("processor_unfit", model=model, reason="do_normalize")
    height, width = colours.shape[:2]
    box = _box(processor, picture, shown)
    return Seen(pixels, _png(colours.astype(np.uint8)), width, height, box)


def _shows(colours: NDArray[Any], pixels: NDArray[np.float32]) -> bool:
    """Whether the numbers [3, H, W] are the colours [H, W, 3], each scaled and shifted."""
    if colours.min() < 0 or colours.max() > 255 or not np.array_equal(colours, colours.round()):
        return False
    for channel in range(3):
        x = colours[..., channel].astype(np.float64).ravel()
        y = pixels[channel].astype(np.float64).ravel()
        low, high = x.argmin(), x.argmax()
        slope = (y[high] - y[low]) / (x[high] - x[low]) if x[high] > x[low] else 0.0
        if np.abs(y[low] + slope * (x - x[low]) - y).max() > 1e-4 * max(1.0, np.abs(y).max()):
            return False
    return True


def _box(processor: Any, picture: Picture, shown: NDArray[Any]) -> Box | None:
    """Where the crop lies in the picture given, if it is the middle of the picture resized."""
    try:
        whole = np.asarray(
            processor(picture.image, do_center_crop=False, do_pad=False, **_PLAIN)["pixel_values"]
        )
    except Exception:  # a processor that knows no crop, or cannot do without it
        return None
    height, width = shown.shape[2:]
    if whole.ndim != 4 or whole.shape[2] < height or whole.shape[3] < width:
        return None
    top, left = (whole.shape[2] - height) // 2, (whole.shape[3] - width) // 2
    if not np.array_equal(whole[:, :, top : top + height, left : left + width], shown):
        return None
    across = picture.image.width / whole.shape[3]
    down = picture.image.height / whole.shape[2]
    return left * across, top * down, (left + width) * across, (top + height) * down


def _png(colours: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    written = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(colours)).save(written, "PNG", optimize=True)
    return written.getvalue()


def pixels_for(module: torch.nn.Module, pixels: Tensor) -> Tensor:
    """The numbers on the module's device and in its precision."""
    kinds = (each.dtype for each in module.parameters() if each.is_floating_point())
    return pixels.to(device_of(module), next(kinds, torch.float32))
