"""The bytes that a token stands for, where it is a piece of a character."""

import re
from typing import Any

BROKEN = "\ufffd"
"""What stands where bytes are no character, or not yet."""


def raw_bytes(tokenizer: Any, token: int) -> str | None:
    """The bytes that a token stands for, as "F0 9F", where they are known and are no whole
    characters; else None."""
    if BROKEN not in str(tokenizer.decode([token])):
        return None
    ours = hasattr(tokenizer, "id_to_token")
    name = tokenizer.id_to_token(token) if ours else tokenizer.convert_ids_to_tokens(token)
    single = re.fullmatch(r"<0x([0-9A-F]{2})>", name or "")
    if single is not None:
        return single[1]
    values = [_byte_of(letter) for letter in name or ""]
    known = [value for value in values if value is not None]
    return " ".join(f"{value:02X}" for value in known) if len(known) == len(values) else None


def _byte_of(letter: str) -> int | None:
    """The byte that byte-level BPE writes as `letter`: a printable one is itself, the others are
    counted on from 256 (Radford et al. 2019, `bytes_to_unicode`)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    if ord(letter) in printable:
        return ord(letter)
    others = [value for value in range(256) if value not in printable]
    place = ord(letter) - 256
    return others[place] if 0 <= place < len(others) else None
