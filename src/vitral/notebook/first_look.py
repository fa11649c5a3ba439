"""Where a reader's look falls first: Explore's own choice (web/src/explore/first_head.ts and
words.ts), made here, so that Python knows from the start what the picture shows.

The head is the one whose words, and the source token above all, look most firmly at words that
are not their neighbours, and not at one that all of them look at. The source token is where the
longest word begins.
"""

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vitral.tracing.token import Token

if TYPE_CHECKING:
    from vitral.tracing.trace import Trace

_LARGEST = 24
_WORDS = 64


def first_head(trace: "Trace", part: str, tokens: Sequence[Token], source: int) -> tuple[int, int]:
    """The layer and head to begin with; the middle layer's first where none stands out, and for
    attention to another text. Of a text whose small maps are pooled, cells stand for tokens."""
    num_layers = len(trace._records(part))
    words = [index for index, token in enumerate(tokens) if not token.special]
    if len(tokens) > _LARGEST:
        words = list(range(_LARGEST))
        source = -(-(source + 1) * _LARGEST // len(tokens)) - 1
    if not words or part == "cross":
        return num_layers // 2, 0
    maps_LHTT = trace.pooled(_LARGEST, part).numpy()
    best, found = 0.0, (num_layers // 2, 0)
    for layer, heads in enumerate(maps_LHTT):
        for head, map_TT in enumerate(heads):
            greatest = float(map_TT.max())
            share_TT = map_TT / greatest if greatest > 0 else map_TT
            looks = [_furthest(share_TT, words, query) for query in words]
            firmness = greatest**2 * float(np.mean(looks)) * _furthest(share_TT, words, source)
            if firmness > best:
                best, found = firmness, (layer, head)
    return found


def first_source(tokens: Sequence[Token]) -> int:
    """The token at which the longest of the first words begins."""
    longest, found = 0, 0
    start = 0
    for number, group in enumerate(_words(tokens)):
        if number == _WORDS:
            break
        length = sum(len(token.text.strip()) for token in group if not token.special)
        if length > longest:
            longest, found = length, start
        start += len(group)
    return found


def _furthest(map_TT: "np.ndarray[Any, Any]", words: list[int], query: int) -> float:
    """How much more than the others `query` gives at most to a word two or more places away."""
    shared_T = map_TT[words].mean(axis=0)
    more = [float(map_TT[query, key] - shared_T[key]) for key in words if abs(query - key) > 1]
    return max([0.0, *more])


def _words(tokens: Sequence[Token]) -> list[list[Token]]:
    groups: list[list[Token]] = []
    for token in tokens:
        if groups and _continues(groups[-1][-1], token):
            groups[-1].append(token)
        else:
            groups.append([token])
    return groups


def _continues(before: Token, token: Token) -> bool:
    """Whether a token goes on with the word that the one before it ends in."""
    if before.special or token.special or before.end is None or token.start is None:
        return False
    if token.start != before.end:
        return token.start < before.end  # bytes of one character
    return _letter(before.text[-1:]) and _letter(token.text[:1])


def _letter(character: str) -> bool:
    return character == "_" or unicodedata.category(character or " ")[0] in "LNM"
