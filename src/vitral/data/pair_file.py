"""Pairs as token ids on disk, and the batches drawn from them.

A batch of pairs is padded to its longest source and its longest target, and padding costs as
much to compute as text. So a batch is made of pairs of about one length. Let all pairs stand in
a row, from the shortest to the longest: a random place in it is chosen, as many tokens to its left
as to its right are its neighbours, and among these the batch is drawn. Every pair is as likely
as another, save for the few at the row's ends, where places to one side are missing.

A step's batch depends on the seed and the step's number only: there is no position to save, and a
resumed run reads the same batches as an uninterrupted one.

Shapes: B pairs, L tokens of the longest.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from vitral.data.array_file import ArrayFile
from vitral.data.pairs import END, Pair
from vitral.text.as_text import as_text
from vitral.text.special_tokens import num_ids
from vitral.text.tokenizers import special_id

SIDES = ("source", "target")
_LONG = np.dtype(np.int64)
CHUNK = 1024
"""How many pairs are tokenized at a time."""
AMONG = 4
"""A batch is drawn among neighbours with so many times its tokens."""


@dataclass(frozen=True)
class PairFile:
    """The ids of all sources and of all targets, one after the other, each ending in "</s>";
    pair i is ids[bounds[i] : bounds[i + 1]]. All four are mapped from .npy files."""

    source_ids: NDArray[np.integer]
    source_bounds: NDArray[np.int64]
    target_ids: NDArray[np.integer]
    target_bounds: NDArray[np.int64]

    @classmethod
    def write(cls, pairs: Iterable[Pair], tokenizer: Tokenizer, stem: Path) -> "PairFile":
        """Tokenize a stream of pairs. Raises `file_unwritable`."""
        dtype = np.dtype(np.uint16 if num_ids(tokenizer) <= 2**16 else np.uint32)
        end = special_id(tokenizer, END)
        with ExitStack() as opened:
            files = [
                opened.enter_context(ArrayFile(path, kind))
                for path, kind in zip(cls._paths(stem), (dtype, _LONG) * 2, strict=True)
            ]
            for bounds in files[1::2]:
                bounds.append(np.zeros(1, dtype=np.int64))
            for chunk in _chunks(pairs):
                for side, ids, bounds in zip(SIDES, files[::2], files[1::2], strict=True):
                    texts = [getattr(pair, side) for pair in chunk]
                    with as_text(tokenizer):
                        encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
                    rows = [[*encoding.ids, end] for encoding in encodings]
                    bounds.append(ids.length + np.cumsum([len(row) for row in rows]))
                    ids.append(np.concatenate(rows))
        return cls.open(stem)

    @classmethod
    def open(cls, stem: Path) -> "PairFile":
        parts = (np.load(path, mmap_mode="r") for path in cls._paths(stem))
        return cls(*parts)

    @classmethod
    def exists(cls, stem: Path) -> bool:
        return all(path.exists() for path in cls._paths(stem))

    @staticmethod
    def _paths(stem: Path) -> list[Path]:
        return [Path(f"{stem}.{side}.{part}.npy") for side in SIDES for part in ("ids", "bounds")]

    def __len__(self) -> int:
        return len(self.source_bounds) - 1

    def source(self, index: int) -> NDArray[np.int64]:
        first, end = self.source_bounds[index : index + 2]
        return self.source_ids[first:end].astype(np.int64)

    def target(self, index: int) -> NDArray[np.int64]:
        first, end = self.target_bounds[index : index + 2]
        return self.target_ids[first:end].astype(np.int64)

    @property
    def longest(self) -> tuple[int, int]:
        """The tokens of the longest source, and of the longest target."""
        return int(np.diff(self.source_bounds).max()), int(np.diff(self.target_bounds).max())

    @cached_property
    def _by_length(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The pairs from the shortest to the longest, and the sums of their lengths so far."""
        source, target = np.diff(self.source_bounds), np.diff(self.target_bounds)
        order = np.lexsort((source, target))
        return order, (source + target)[order].cumsum()

    def draw(self, step: int, *, num_tokens: int, seed: int) -> NDArray[np.int64]:
        """The numbers of one step's pairs, on both sides together about `num_tokens` tokens."""
        order, sums = self._by_length
        generator = np.random.default_rng((seed, step))
        width = min(AMONG * num_tokens, int(sums[-1]))
        begin = int(generator.integers(sums[-1])) - width // 2
        begin = min(max(0, begin), int(sums[-1]) - width)
        first, last = np.searchsorted(sums, (begin, begin + width - 1), side="right")
        near = generator.permutation(np.arange(first, last + 1))
        lengths = sums[near] - np.where(near > 0, sums[near - 1], 0)
        wanted = max(1, int(np.searchsorted(lengths.cumsum(), num_tokens, side="right")))
        drawn: NDArray[np.int64] = order[near[:wanted]]
        return drawn


def padded(rows: Sequence[NDArray[np.int64]], pad: int) -> NDArray[np.int64]:
    """The rows as one array [B, L], `pad` after the shorter ones."""
    ids_BL = np.full((len(rows), max(len(row) for row in rows)), pad, dtype=np.int64)
    for ids_L, row in zip(ids_BL, rows, strict=True):
        ids_L[: len(row)] = row
    return ids_BL


def _chunks(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    iterator = iter(pairs)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
