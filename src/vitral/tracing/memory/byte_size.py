"""Sizes in bytes, as people write them: "1.5 GB" is 1,500,000,000 bytes."""

import re

from vitral.errors import VitralError

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_UNITS |= {"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}

_MOST = 1 << 62


def num_bytes(size: int | str) -> int:
    """A number of bytes from 2000000, "2 MB", "1.5 GB" or "512 MiB".

    Raises VitralError `size_unreadable` for anything else.
    """
    if isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= _MOST:
        return size
    match = re.fullmatch(r"\s*(\d+(?:[.,]\d+)?)\s*([a-z]*)\s*", str(size).lower())
    if match is None or match[2] not in _UNITS or not isinstance(size, str):
        raise VitralError("size_unreadable", size=size)
    found = float(match[1].replace(",", ".")) * _UNITS[match[2]]
    if found > _MOST:
        raise VitralError("size_unreadable", size=size)
    return int(found)


def in_words(size: float) -> str:
    """A number of bytes as text, with two significant figures: "1.5 GB", "34 GB", "260 MB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.1f} {unit}" if size < 9.95 and unit == "GB" else f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
