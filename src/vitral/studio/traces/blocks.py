"""Binary blocks: arrays for the browser, without the cost of JSON numbers.

    bytes 0–3    b"VTR1"
    bytes 4–7    uint32, little-endian: L, the length of the header
    next L       the header, UTF-8 JSON, padded with spaces so that 8 + L is a multiple of 8
    the rest     the array, little-endian, rows first

The header holds `dtype` ("float32", "int32" or "uint8"), `shape`, and `aggregated`: whether a value
covers several cells. With the padding, a browser can use the rest directly as a typed array.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel


class BlockHeader(BaseModel):
    """The entries in the header of every block."""

    dtype: Literal["float32", "int32", "uint8"]
    shape: list[int]
    aggregated: bool


MAGIC = b"VTR1"
MEDIA_TYPE = "application/octet-stream"
_DTYPES = {"float32": "<f4", "int32": "<i4", "uint8": "|u1"}


def encode_block(array: "np.ndarray[Any, Any]", *, aggregated: bool, **header: object) -> bytes:
    """`array` (float32, int32 or uint8, any shape) with its `header`, as one block.

    Raises ValueError for another element type.
    """
    dtype = str(array.dtype)
    if dtype not in _DTYPES:
        raise ValueError(f"a block holds float32, int32 or uint8, not {dtype}")
    entries = {"dtype": dtype, "shape": list(array.shape), "aggregated": aggregated, **header}
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 8)
    values = np.ascontiguousarray(array, dtype=_DTYPES[dtype]).tobytes()
    return MAGIC + struct.pack("<I", len(text)) + text + values


def decode_block(data: bytes) -> tuple[Mapping[str, Any], "np.ndarray[Any, Any]"]:
    """Header and array of a block, as the browser reads them.

    Raises ValueError if `data` is not a whole block.
    """
    if data[:4] != MAGIC:
        raise ValueError("not a block: it does not begin with VTR1")
    (length,) = struct.unpack_from("<I", data, 4)
    header = json.loads(data[8 : 8 + length])
    array = np.frombuffer(data, dtype=_DTYPES[header["dtype"]], offset=8 + length)
    return header, array.reshape(header["shape"])


def quantize(maps_LHSS: "np.ndarray[Any, Any]") -> "tuple[np.ndarray[Any, Any], list[list[float]]]":
    """Weights [layers, heads, s, s'] as uint8, and the scale of each head.

    weight ≈ value / 255 · scale[layer][head]; the scale is the head's largest weight, so that
    the error is at most scale / 510.
    """
    scale_LH = maps_LHSS.max(axis=(2, 3))
    safe_LH = np.where(scale_LH > 0, scale_LH, 1.0)
    values = np.rint(maps_LHSS / safe_LH[:, :, None, None] * 255).astype(np.uint8)
    return values, [[float(scale) for scale in row] for row in scale_LH]
