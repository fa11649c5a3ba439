"""Trace files with one thing changed: an entry of the header, a tensor's type, shape or numbers."""

import json
import random
import struct
from typing import Any

Tensors = dict[str, dict[str, Any]]

JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 7, 10**6, 2**31, 10**30, 0.5, -3.25, 1e300, "", "x", "4",
    "embed", "layers.0.attention", "layers.999999.attention", "é" * 300, "\ud800", "a\x00b\n",
    [], [1], [[]], {}, {"a": 1}, {"id": 1, "text": "x"}, float("nan"), float("inf"), float("-inf"),
)  # fmt: skip
NUMBERS = {
    "F32": ("<f", (float("nan"), float("inf"), float("-inf"), 1e38, -1e30, 1e9, 0.0, 40.0, 1e-40)),
    "BOOL": ("<B", (0, 1, 2, 255)),
    "I64": ("<q", (-1, 0, 1, 10**6, 2**62)),
    "U8": ("<B", (0, 255)),
}
SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "U8": 1, "BOOL": 1}


def fuzzed(content: bytes, choose: random.Random) -> bytes:
    """The file with one thing changed, or two."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    data = {
        name: content[8 + length + entry["data_offsets"][0] : 8 + length + entry["data_offsets"][1]]
        for name, entry in header.items()
        if name != "__metadata__"
    }
    metadata = header.pop("__metadata__")
    ours = json.loads(metadata["vitral.trace"])
    for _ in range(choose.choice((1, 1, 1, 2))):
        if choose.random() < 0.55:
            _change_entry(ours, choose)
        else:
            _change_tensor(header, data, choose)
    metadata["vitral.trace"] = json.dumps(ours)
    return _written(header, data, metadata)


def _change_entry(ours: dict[str, Any], choose: random.Random) -> None:
    """Another value, one that is gone, or one more, anywhere in the description."""
    places = list(_places(ours))
    # Tokens are many and alike: most changes should be of something else.
    others = [place for place in places if not isinstance(place[0], list)]
    around, key = choose.choice(others if choose.random() < 0.7 else places)
    how = choose.random()
    if how < 0.65:
        value = choose.choice(JUNK)
        if isinstance(around[key], int | float) and choose.random() < 0.5:
            value = around[key] * choose.choice((-1, 0, 2, 1.5, 1e6))
        around[key] = value
    elif how < 0.85:
        del around[key]
    elif isinstance(around, dict):
        around[choose.choice(("x", "layers.7.attention", "layers.0.mlp.out", "é"))] = around[key]
    else:
        around.insert(key, around[key])


def _places(value: Any) -> Any:
    """Every container in the description with a key or a place in it."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in inside:
        yield value, key
        if isinstance(each, dict | list):
            yield from _places(each)


def _change_tensor(header: Tensors, data: dict[str, bytes], choose: random.Random) -> None:
    name = choose.choice(sorted(header))
    entry, how = header[name], choose.random()
    if how < 0.4 and entry["dtype"] in NUMBERS and data[name]:
        form, numbers = NUMBERS[entry["dtype"]]
        size = struct.calcsize(form)
        places = range(0, len(data[name]), size)
        chosen = places if choose.random() < 0.2 else [choose.choice(places)]
        content = bytearray(data[name])
        number = struct.pack(form, choose.choice(numbers))
        for place in chosen:
            content[place : place + size] = number
        data[name] = bytes(content)
    elif how < 0.65:
        _as_type(name, choose.choice(sorted(SIZES)), header, data)
    elif how < 0.85:
        shape = list(entry["shape"])
        change = choose.choice(("turned", "flat", "deeper", "shorter"))
        if change == "turned":
            shape = shape[::-1]
        elif change == "flat":
            shape = [len(data[name]) // SIZES[entry["dtype"]]]
        elif change == "deeper":
            shape = [1, *shape]
        elif shape and shape[0]:
            row = len(data[name]) // shape[0]
            data[name], shape[0] = data[name][row:], shape[0] - 1
        entry["shape"] = shape
    elif how < 0.95:
        del header[name], data[name]
    else:
        other = choose.choice(sorted(header))
        header[name], data[name] = dict(header[other]), data[other]


def _as_type(name: str, dtype: str, header: Tensors, data: dict[str, bytes]) -> None:
    """The same numbers in another type."""
    import torch

    from vitral.tracing.files.tensor_file import _NAMES

    types = {short: kind for kind, short in _NAMES.items()}
    entry = header[name]
    if not data[name]:
        return
    tensor = torch.frombuffer(bytearray(data[name]), dtype=types[entry["dtype"]]).to(types[dtype])
    data[name] = tensor.view(torch.uint8).numpy().tobytes()
    entry["dtype"] = dtype


def _written(header: Tensors, data: dict[str, bytes], metadata: dict[str, str]) -> bytes:
    end, entries = 0, dict[str, Any](__metadata__=metadata)
    for name, entry in header.items():
        entries[name] = entry | {"data_offsets": [end, end + len(data[name])]}
        end += len(data[name])
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(data[name] for name in header)
