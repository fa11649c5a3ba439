"""From tokens to words: attention between words that are several tokens.

    word_pattern[w, x] = mean_{t in w} Σ_{s in x} pattern[t, s]

Attention *to* a word is the sum over its tokens, attention *from* a word the mean over its
tokens, so that rows still sum to one (Clark et al. 2019, arXiv:1906.04341, section 4.1). What
goes to special tokens belongs to no word, and is missing from the sum.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from vitral.tracing.token import Token


def words_of_tokens(tokens: Sequence[Token], places: Sequence[tuple[int, int]]) -> list[int | None]:
    """The word that each token belongs to: the one that it shares most characters with.

    `places` are the words' first and one past the last characters, in order. None for tokens
    that stand for no text, and for spaces between words.
    """
    found: list[int | None] = []
    for token in tokens:
        if token.start is None or token.end is None or token.special:
            found.append(None)
            continue
        start, end = token.start, token.end
        shared = [min(end, last) - max(start, first) for first, last in places]
        best = max(range(len(shared)), key=shared.__getitem__, default=None)
        found.append(best if best is not None and shared[best] > 0 else None)
    return found


def word_pattern(pattern_HTT: Tensor, words: Sequence[int | None], num_words: int) -> Tensor:
    """Patterns between words [..., W, W], of patterns between tokens [..., T, T].

    A word without a token has zeros.
    """
    belongs_TW = torch.zeros(len(words), num_words)
    for token, word in enumerate(words):
        if word is not None:
            belongs_TW[token, word] = 1
    sizes_W = belongs_TW.sum(0).clamp(min=1)
    return (belongs_TW / sizes_W).T @ pattern_HTT @ belongs_TW
