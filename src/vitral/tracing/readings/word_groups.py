"""From the pieces of a text to its words: which tokens stand together, and the words as tokens.

A token continues the word before it where no character stands between them and letters, digits or
marks meet; web/src/trace/words.ts is the same rule. Special tokens stand alone, and so does
punctuation.
"""

import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from vitral.tracing.token import Token


def word_edges(tokens: Sequence[Token]) -> list[int]:
    """Where each word begins among the tokens, and at the end their number."""
    begins = [
        place
        for place, (before, token) in enumerate(pairwise(tokens), start=1)
        if not _continues(before, token)
    ]
    return [0, *begins, len(tokens)] if tokens else [0]


def words_as_tokens(tokens: Sequence[Token], edges: Sequence[int]) -> list[Token]:
    """The words as tokens; one of a single piece is that piece. The others have its first id."""
    return [_joined(tokens[first:last]) for first, last in pairwise(edges)]


def _joined(pieces: Sequence[Token]) -> Token:
    first = pieces[0]
    if len(pieces) == 1:
        return first
    text, end = "", first.start or 0
    for piece in pieces:  # bytes of one character each carry all of it
        start, last = piece.start or 0, piece.end or 0
        text += piece.text[max(0, end - start) :]
        end = max(end, last)
    return Token(first.id, text, first.start, end)


def _continues(before: Token, token: Token) -> bool:
    if before.special or token.special or before.end is None or token.start is None:
        return False
    if token.start != before.end:
        return token.start < before.end  # bytes of one character
    return _is_letter(before.text[-1:]) and _is_letter(token.text[:1])


def _is_letter(character: str) -> bool:
    return character == "_" or (
        character != "" and unicodedata.category(character)[0] in ("L", "N", "M")
    )
