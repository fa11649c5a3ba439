"""The head and token that are shown first, chosen as in Explore (web/src/trace/first_head.ts and
words.ts), so that Python knows from the start what the picture shows.

The head is the one whose words, and the source token above all, attend most strongly to words that
are neither their neighbours nor the same for all. The source token is where the longest word
begins.
"""

from collections.abc import Sequence
from itertools import islice, pairwise
from typing import Any

import numpy as np
from torch import Tensor

from vitral.tracing.readings.word_groups import word_edges
from vitral.tracing.token import Token

LARGEST = 24
"""Rows and columns of a small map, at most."""
_WORDS = 64


def first_head(
    maps_LHTS: Tensor,
    tokens: Sequence[Token],
    keys: Sequence[Token],
    source: int,
    *,
    causal: bool = False,
) -> tuple[int, int]:
    """The layer and head to begin with; by default the first head of the middle layer, or of the
    layer with attention that is nearest to it.

    `maps_LHTS` are small maps of all heads, `tokens` the query tokens, `keys` the key tokens: the
    same list, except in cross-attention, where no two tokens are neighbours. If the maps are
    pooled, cells take the place of tokens. In a `causal` part the first token does not count:
    heads rest there.
    """
    layers = [layer for layer, maps in enumerate(maps_LHTS) if not bool(maps.isnan().all())]
    maps = maps_LHTS.nan_to_num(0).numpy()
    num_layers, _, height, width = maps.shape
    pooled = (height, width) != (len(tokens), len(keys))
    words = list(range(height)) if pooled else _places(tokens)
    seen = list(range(width)) if pooled else _places(keys)
    seen = [key for key in seen if key > 0 or not causal]
    if pooled:
        source = -(-(source + 1) * height // len(tokens)) - 1
    nearest = 2 if keys is tokens else 0
    middle = num_layers // 2
    best, found = 0.0, (min(layers, key=lambda each: (abs(each - middle), -each)), 0)
    for layer, heads in enumerate(maps if words else ()):
        for head, map_TS in enumerate(heads):
            greatest = float(map_TS.max())
            share_TS = map_TS / greatest if greatest > 0 else map_TS
            looks = [_furthest(share_TS, words, seen, query, nearest) for query in words]
            firmness = greatest**2 * float(np.mean(looks))
            firmness *= _furthest(share_TS, words, seen, source, nearest)
            if firmness > best:
                best, found = firmness, (layer, head)
    return found


def _places(tokens: Sequence[Token]) -> list[int]:
    return [index for index, token in enumerate(tokens) if not token.special]


def first_source(tokens: Sequence[Token]) -> int:
    """The token at which the longest of the first words begins."""
    longest, found = 0, 0
    for start, end in islice(pairwise(word_edges(tokens)), _WORDS):
        group = tokens[start:end]
        length = sum(len(token.text.strip()) for token in group if not token.special)
        if length > longest:
            longest, found = length, start
    return found


def _furthest(
    map_TS: "np.ndarray[Any, Any]", words: list[int], seen: list[int], query: int, nearest: int
) -> float:
    """How much more than the others `query` gives at most to a word `nearest` or more away."""
    shared_S = map_TS[words].mean(axis=0)
    more = [
        float(map_TS[query, key] - shared_S[key]) for key in seen if abs(query - key) >= nearest
    ]
    return max([0.0, *more])
