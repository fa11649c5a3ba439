"""A part of the tokens, written as in Python: 4:10 is from token 4 up to token 9."""

import re

from vitral.errors import VitralError

_RANGE = re.compile(r"([0-9]{0,9}):([0-9]{0,9})")


def token_range(option: str, text: str | None, size: int) -> range:
    """ "4:10" as range(4, 10); ":10", "4:" and None reach to the ends.

    Raises VitralError("range_wrong") for anything else, or a range outside the `size` tokens.
    """
    if text is None:
        return range(size)
    match = _RANGE.fullmatch(text)
    if match is not None:
        first = int(match[1] or 0)
        end = int(match[2] or size)
        if first < end <= size:
            return range(first, end)
    raise VitralError("range_wrong", option=option, value=text, size=size)
