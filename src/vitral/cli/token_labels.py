"""Tokens as a reader sees them in a terminal: one short, visible label each."""

import unicodedata
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from vitral.text.unseen import code_points
from vitral.tracing import Token

PART = "·"
"""The prefix of a token that continues the word of the token before it: persigu ·ió."""

_VISIBLE = {"\n": "⏎", "\r": "␍", "\t": "⇥", " ": "␣"}


def labels(tokens: Sequence[Token]) -> list[str]:
    """A label per token: its text, with parts of words marked and no character invisible."""
    result = []
    for index, token in enumerate(tokens):
        text = token.text.strip(" ") or token.text
        label = code_points(text) or "".join(map(_visible, text)) or "∅"
        before = tokens[index - 1] if index else None
        result.append(PART + label if before and _goes_on(before, token) else label)
    return result


def shortened(label: str, width: int) -> str:
    """`label` in at most `width` terminal cells; an ellipsis stands for what was cut."""
    if cell_len(label) <= width:
        return label
    return set_cell_size(label, width - 1) + "…"


def padded(label: str, width: int) -> str:
    """`label` in exactly `width` terminal cells, spaces added after it."""
    return label + " " * (width - cell_len(label))


def _goes_on(before: Token, token: Token) -> bool:
    """Whether the two tokens are parts of one word."""
    return (
        not before.special
        and not token.special
        and before.end is not None
        and before.end == token.start
        and before.text[-1:].isalnum()
        and token.text[:1].isalnum()
    )


def _visible(character: str) -> str:
    """Control characters as visible signs: a text must not control the terminal."""
    if character in _VISIBLE:
        return _VISIBLE[character]
    if unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}:
        return "�"
    return character
