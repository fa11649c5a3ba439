"""Which documents are copies of one another, whole or nearly.

A copy of a text that a model has memorised is no test. So copies stay together when a corpus is
split: texts with the same words, and texts that share eight in ten of their runs of three words
(an edition with another preface, a page fetched twice).

The similarity of two texts is estimated by *MinHash* (Broder 1997, "On the resemblance and
containment of documents"): for 64 fixed random orders of all runs, each text keeps the number of
its first run in each; two texts agree in as large a share of these as they share runs. Texts that
agree in none of 16 groups of four are never compared (locality-sensitive hashing; Leskovec et al.,
"Mining of Massive Datasets", section 3.4). Implemented here in a few lines of NumPy, because the
library for it needs SciPy.

Shapes: D documents, R runs, P orders.
"""

import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

RUN = 3
"""Words of a run."""

LEAST_WORDS = 10
"""A text of fewer words is too short to be nearly another: "ciento dos", "ciento tres"."""

ALIKE = 0.8
"""The share of runs that near copies have in common."""

MOST_COMPARED = 300_000
"""In a larger corpus, documents after these are only compared for equality: the sketches of all
would not fit into memory."""

NUM_ORDERS, GROUP = 64, 4
_AT_ONCE = 2**13
_WORD = re.compile(r"\w+")
_PER_BUCKET = 8


class Copies:
    """A stream of documents, in groups of copies.

    copies = Copies()
    for text in texts:
        copies.add(text)
    copies.groups()          # [0, 1, 0]: the third text is a copy of the first
    """

    def __init__(self) -> None:
        generator = np.random.default_rng(1605)
        self._factors = generator.integers(0, 2**63, NUM_ORDERS, dtype=np.uint64) * 2 + 1
        self._offsets = generator.integers(0, 2**63, NUM_ORDERS, dtype=np.uint64)
        self._same: dict[bytes, int] = {}
        self._parent: list[int] = []
        self._waiting: list[tuple[int, NDArray[np.uint64]]] = []
        self._num_waiting = 0
        self._sketches: dict[int, NDArray[np.uint32]] = {}
        self._buckets: dict[tuple[int, bytes], list[int]] = {}
        self._exact: list[int] = []

    def add(self, text: str) -> None:
        """The next document."""
        number = len(self._parent)
        self._parent.append(number)
        words = _WORD.findall(text.casefold())
        digest = hashlib.blake2b(" ".join(words or text.split()).encode(), digest_size=16).digest()
        first = self._same.setdefault(digest, number)
        self._exact.append(first)
        if first != number:
            self._join(first, number)
        elif len(words) >= LEAST_WORDS and len(self._sketches) < MOST_COMPARED:
            runs = _runs(words)
            self._waiting.append((number, runs))
            self._num_waiting += len(runs)
            if self._num_waiting >= _AT_ONCE:
                self._compare()

    def groups(self, *, near: bool = True) -> list[int]:
        """For each document the first of its group; without `near`, of those with equal words."""
        self._compare()
        return [self._first(n) for n in range(len(self._parent))] if near else list(self._exact)

    def _compare(self) -> None:
        """Sketch the waiting documents, and join them with similar ones."""
        if not self._waiting:
            return
        numbers = [number for number, _ in self._waiting]
        for number, sketch_P in zip(numbers, self._sketched(), strict=True):
            self._sketches[number] = sketch_P
            for group in range(0, NUM_ORDERS, GROUP):
                key = (group, sketch_P[group : group + GROUP].tobytes())
                bucket = self._buckets.setdefault(key, [])
                for other in bucket:
                    if self._first(other) != self._first(number) and (
                        float((self._sketches[other] == sketch_P).mean()) >= ALIKE
                    ):
                        self._join(other, number)
                if len(bucket) < _PER_BUCKET:
                    bucket.append(number)
        self._waiting, self._num_waiting = [], 0

    def _sketched(self) -> Iterator[NDArray[np.uint32]]:
        """The sketch uint32 [P] of each waiting document."""
        least_DP = np.full((len(self._waiting), NUM_ORDERS), 2**32 - 1, dtype=np.uint32)
        runs_R = np.concatenate([runs for _, runs in self._waiting])
        lengths = [len(runs) for _, runs in self._waiting]
        owners_R = np.repeat(np.arange(len(lengths)), lengths)
        for first in range(0, len(runs_R), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            hashed_RP = (runs_R[part, None] * self._factors + self._offsets) >> np.uint64(32)
            owners = owners_R[part]
            starts = np.flatnonzero(np.diff(owners, prepend=-1))
            found = np.minimum.reduceat(hashed_RP.astype(np.uint32), starts, axis=0)
            here = owners[starts]
            least_DP[here] = np.minimum(least_DP[here], found)
        yield from least_DP

    def _first(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number

    def _join(self, one: int, other: int) -> None:
        low, high = sorted((self._first(one), self._first(other)))
        self._parent[high] = low


def _runs(words: Iterable[str]) -> NDArray[np.uint64]:
    """The runs of words [R], each a number that is always the same."""
    hashed = np.fromiter((zlib.crc32(word.encode()) for word in words), dtype=np.uint64)
    mixed = np.zeros(len(hashed) - RUN + 1, dtype=np.uint64)
    for place in range(RUN):
        part = hashed[place : len(hashed) - RUN + 1 + place]
        mixed = (mixed ^ part) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return np.unique(mixed)
