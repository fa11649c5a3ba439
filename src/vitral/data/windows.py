"""Random windows of a long array of token ids, reproducible after a restart.

A step's windows depend on the seed and the step's number only: there is no position to save, and
a resumed run reads the same windows as an uninterrupted one. Every process of a distributed run
draws the same positions and reads its own rows.

Windows start where a sentence starts, because that is where people's texts start, or anywhere.
Their length is the same within a step and may vary between steps, so that a model knows short
sentences as well as long pages.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vitral.data.token_file import TokenFile
from vitral.errors import VitralError

__all__ = ["TokenFile", "draw_windows"]

_ALL = slice(None)


def draw_windows(
    tokens: TokenFile,
    step: int,
    *,
    num_tokens: int,
    lengths: Sequence[int],
    seed: int,
    starts: Literal["sentence", "anywhere"] = "sentence",
    rows: slice = _ALL,
    beyond: int = 0,
) -> NDArray[np.int64]:
    """The windows of one step: [B, L] with L drawn from `lengths` and B·L ≈ `num_tokens`.

    With `rows` only those are read: `rows=slice(a, b)` gives [a:b] of the whole. "anywhere"
    takes every position with the same probability (as nanoGPT does). `beyond` more tokens
    come with each window: [B, L + beyond]. Raises VitralError `corpus_shorter_than_window`.
    """
    generator = np.random.default_rng((seed, step))
    length = int(generator.choice(np.asarray(lengths)))
    whole = length + beyond
    last = len(tokens.ids) - whole
    if last < 0:
        raise VitralError("corpus_shorter_than_window", length=len(tokens.ids), window=whole)
    size = max(1, num_tokens // length)
    if starts == "sentence":
        places = np.minimum(generator.choice(tokens.starts, size=size), last)
    else:
        places = generator.integers(0, last + 1, size=size)
    windows = [tokens.ids[place : place + whole] for place in places[rows]]
    return np.array(windows, dtype=np.int64).reshape(-1, whole)
