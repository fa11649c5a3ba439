"""Windows on a long row of token ids, drawn at random, the same ones again after a restart.

All training documents stand one after the other in a single array, kept on disk and mapped into
memory, so that a corpus need not fit. A step's windows depend on the seed and the step's number
only: there is no position to save, and a resumed run sees what an uninterrupted one sees.

Windows start where a sentence starts, because that is where people's texts start. Their length
is the same within a step and varies between steps, so that a model knows short sentences as
well as long pages.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from vitral.data.corpus import Document

_SENTENCE_END = re.compile(r"\n|(?<=[.!?»]) (?=[—«¡¿]?[¡¿]?[A-ZÁÉÍÓÚÜÑ])")


@dataclass(frozen=True)
class TokenFile:
    """Token ids of a corpus and the places where sentences start, mapped from two .npy files."""

    ids: NDArray[np.uint16]
    starts: NDArray[np.int64]

    @classmethod
    def write(cls, documents: Sequence[Document], tokenizer: Tokenizer, stem: Path) -> "TokenFile":
        """Tokenize `documents` into `stem`.ids.npy and `stem`.starts.npy, and open them."""
        ids: list[NDArray[np.uint16]] = []
        starts: list[NDArray[np.int64]] = []
        length = 0
        for document in documents:
            encoding = tokenizer.encode(document.text, add_special_tokens=False)
            begins = _sentence_starts(document.text)
            character_starts = np.array([start for start, _ in encoding.offsets])
            # The token in which a sentence starts: its offset may take in the space before.
            first_tokens = np.searchsorted(character_starts, begins, side="right") - 1
            starts.append(np.unique(first_tokens) + length)
            ids.append(np.array(encoding.ids, dtype=np.uint16))
            length += len(encoding.ids)
        stem.parent.mkdir(parents=True, exist_ok=True)
        np.save(f"{stem}.ids.npy", np.concatenate(ids))
        np.save(f"{stem}.starts.npy", np.concatenate(starts))
        return cls.open(stem)

    @classmethod
    def open(cls, stem: Path) -> "TokenFile":
        return cls(
            np.load(f"{stem}.ids.npy", mmap_mode="r"), np.load(f"{stem}.starts.npy", mmap_mode="r")
        )

    @staticmethod
    def exists(stem: Path) -> bool:
        return Path(f"{stem}.ids.npy").exists() and Path(f"{stem}.starts.npy").exists()


def _sentence_starts(text: str) -> NDArray[np.int64]:
    """Character positions where a paragraph or a sentence starts."""
    places = [0, *(match.end() for match in _SENTENCE_END.finditer(text))]
    return np.array(places, dtype=np.int64)


def draw_windows(
    tokens: TokenFile, step: int, *, num_tokens: int, lengths: Sequence[int], seed: int
) -> NDArray[np.int64]:
    """The windows of one step: [B, L] with L drawn from `lengths` and B·L ≈ `num_tokens`."""
    generator = np.random.default_rng((seed, step))
    length = int(generator.choice(np.asarray(lengths)))
    starts = generator.choice(tokens.starts, size=max(1, num_tokens // length))
    starts = np.minimum(starts, len(tokens.ids) - length)
    return np.stack([tokens.ids[start : start + length] for start in starts]).astype(np.int64)
