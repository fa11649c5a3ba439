"""The tokens of a corpus as one long array on disk, memory-mapped for reading.

Two more files contain the positions where documents and sentences start. All three are written
while the documents are streamed, so neither writing nor reading needs more memory than a few
passages of text.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from vitral.data.array_file import ArrayFile
from vitral.data.corpus import Document
from vitral.errors import VitralError
from vitral.text.as_text import as_text
from vitral.text.passages import passages

_SENTENCE_END = re.compile(r"\n|(?<=[.!?»]) (?=[—«¡¿]?[¡¿]?[A-ZÁÉÍÓÚÜÑ])")
_PASSAGES_AT_ONCE = 16
_ENDINGS = ("starts", "documents", "ids")  # `ids` is named last: with it, the corpus is whole


@dataclass(frozen=True)
class TokenFile:
    """`ids` of all tokens, uint16 or, for vocabularies of more than 65,536, uint32; the numbers
    of the tokens that sentences (`starts`) and `documents` start with. Mapped from .npy files."""

    ids: NDArray[np.uint16] | NDArray[np.uint32]
    starts: NDArray[np.int64]
    documents: NDArray[np.int64]

    @classmethod
    def write(
        cls,
        documents: Iterable[Document],
        tokenizer: Tokenizer,
        stem: Path,
        *,
        end: int | None = None,
    ) -> "TokenFile":
        """Tokenize `documents` into `stem`.ids.npy, .starts.npy and .documents.npy.

        The token `end` is put after each document (None: nothing is). What stood there before is
        gone once this begins; a write that is stopped leaves nothing that `exists` takes for a
        corpus. Raises VitralError `corpus_empty` if there is no token, and `file_unwritable`.
        """
        largest = max(tokenizer.get_vocab().values(), default=0)
        narrow = np.dtype(np.uint16) if largest < 2**16 else np.dtype(np.uint32)
        _path(stem, "ids").unlink(missing_ok=True)
        files: dict[str, ArrayFile] = {}
        try:
            for ending in _ENDINGS:
                files[ending] = ArrayFile(
                    _path(stem, ending), narrow if ending == "ids" else np.dtype(np.int64)
                )
            _write(documents, tokenizer, end, **files)
            if files["ids"].length == 0:
                raise VitralError("corpus_empty", sources=stem)
            for file in files.values():
                file.finish()
            for file in files.values():
                file.publish()
        except BaseException:
            for file in files.values():
                file.discard()
            raise
        return cls.open(stem)

    @classmethod
    def open(cls, stem: Path) -> "TokenFile":
        return cls(**{name: np.load(_path(stem, name), mmap_mode="r") for name in _ENDINGS})

    @staticmethod
    def exists(stem: Path) -> bool:
        """Whether a complete corpus is there."""
        return all(_path(stem, ending).exists() for ending in _ENDINGS)


def _path(stem: Path, ending: str) -> Path:
    return Path(f"{stem}.{ending}.npy")


def _write(
    corpus: Iterable[Document],
    tokenizer: Tokenizer,
    end: int | None,
    *,
    ids: ArrayFile,
    starts: ArrayFile,
    documents: ArrayFile,
) -> None:
    last_start = last_document = -1
    after = np.array([] if end is None else [end], dtype=np.int64)
    for passage, encoding in _encoded(_pieces(corpus), tokenizer):
        if passage.number != last_document and len(encoding.ids) > 0:
            if last_document >= 0:
                ids.append(after)
            documents.append(np.array([ids.length]))
            last_document = passage.number
        characters = np.array([start for start, _ in encoding.offsets], dtype=np.int64)
        # The token in which a sentence starts: its offset may take in the space before.
        first = np.searchsorted(characters, passage.sentences, side="right") - 1
        first = np.unique(first[(first >= 0) & (len(characters) > 0)]) + ids.length
        first = first[first > last_start]
        starts.append(first)
        last_start = int(first[-1]) if len(first) else last_start
        ids.append(np.array(encoding.ids, dtype=np.int64))
    if last_document >= 0:
        ids.append(after)


@dataclass(frozen=True)
class _Passage:
    """A piece of document `number`, and the places in it where `sentences` start."""

    number: int
    text: str
    sentences: NDArray[np.int64]


def _pieces(documents: Iterable[Document]) -> Iterator[_Passage]:
    for number, document in enumerate(documents):
        begins = _sentence_starts(document.text)
        place = 0
        for text in passages(document.text):
            here = begins[
                np.searchsorted(begins, place) : np.searchsorted(begins, place + len(text))
            ]
            yield _Passage(number, text, here - place)
            place += len(text)


def _encoded(
    pieces: Iterator[_Passage], tokenizer: Tokenizer
) -> Iterator[tuple[_Passage, Encoding]]:
    """Several passages at once, which the tokenizer divides among the CPU cores."""
    while batch := list(islice(pieces, _PASSAGES_AT_ONCE)):
        texts = [passage.text for passage in batch]
        with as_text(tokenizer):
            encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
        yield from zip(batch, encodings, strict=True)


def _sentence_starts(text: str) -> NDArray[np.int64]:
    """Character positions where a paragraph or a sentence starts."""
    places = [0, *(match.end() for match in _SENTENCE_END.finditer(text))]
    return np.array(places, dtype=np.int64)
