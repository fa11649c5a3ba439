"""Blocks: what is written is read, byte for byte, and a browser can lay an array over it."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vitral.studio.traces.blocks import decode_block, encode_block, quantize

SHAPES = arrays.array_shapes(min_dims=1, max_dims=4, max_side=6)


@given(arrays.arrays(np.float32, SHAPES), st.booleans(), st.text(max_size=9))
def test_floats_come_back(array: np.ndarray, aggregated: bool, note: str) -> None:
    data = encode_block(array, aggregated=aggregated, note=note)
    header, values = decode_block(data)
    np.testing.assert_array_equal(values, array)
    assert header == {
        "dtype": "float32",
        "shape": list(array.shape),
        "aggregated": aggregated,
        "note": note,
    }


@given(arrays.arrays(np.uint8, SHAPES))
def test_layout_is_the_documented_one(array: np.ndarray) -> None:
    data = encode_block(array, aggregated=False)
    (length,) = struct.unpack_from("<I", data, 4)
    assert data[:4] == b"VTR1"
    assert (8 + length) % 8 == 0
    assert json.loads(data[8 : 8 + length])["dtype"] == "uint8"
    assert data[8 + length :] == array.tobytes()


def test_transposed_arrays_are_written_rows_first() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3).T
    _, values = decode_block(encode_block(array, aggregated=False))
    np.testing.assert_array_equal(values, array)


def test_other_types_and_other_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="float64"):
        encode_block(np.zeros(3), aggregated=False)
    with pytest.raises(ValueError, match="VTR1"):
        decode_block(b"PNG\r")


@given(
    arrays.arrays(
        np.float32, (2, 3, 4, 4), elements=st.floats(0, 1, width=32, allow_subnormal=False)
    )
)
def test_quantized_weights_are_within_half_a_step(maps: np.ndarray) -> None:
    values, scale = quantize(maps)
    scale_LH = np.array(scale, dtype=np.float64)
    restored = values / 255.0 * scale_LH[:, :, None, None]
    assert np.all(np.abs(restored - maps) <= scale_LH[:, :, None, None] / 510 * 1.001 + 1e-7)
    np.testing.assert_array_equal(scale_LH, maps.max(axis=(2, 3)))
