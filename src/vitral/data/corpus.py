"""A corpus: a folder of UTF-8 text files, one document a file, some of them held out.

Whole documents are held out, never random lines: neighbouring lines of one book share names
and turns of phrase, and a model that has seen half of them is not being tested.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vitral.data.cleaning import paragraphs
from vitral.errors import VitralError


@dataclass(frozen=True)
class Document:
    """A cleaned text, one paragraph a line; `name` is its file's name without the ending."""

    name: str
    text: str


def read_text(path: Path) -> str:
    """The text of a UTF-8 file. Raises `file_not_utf8` with the first bad byte's position."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise VitralError("file_not_utf8", path=path, position=error.start) from None


def read_corpus(folder: Path, held_out: Sequence[str]) -> tuple[list[Document], list[Document]]:
    """The training and the held-out documents of a folder of .txt files, sorted by name.

    Raises `data_missing` if the folder has no text, `held_out_missing` if a named file is absent.
    """
    paths = _paths(folder, held_out)
    documents = [_document(path) for path in paths]
    kept = [document for document in documents if document.name not in held_out]
    return kept, [document for document in documents if document.name in held_out]


def read_held_out(folder: Path, held_out: Sequence[str]) -> list[Document]:
    """The held-out documents alone; raises what `read_corpus` does."""
    return [_document(path) for path in _paths(folder, held_out) if path.stem in held_out]


def _paths(folder: Path, held_out: Sequence[str]) -> list[Path]:
    paths = sorted(folder.glob("*.txt"))
    if not paths:
        raise VitralError("data_missing", folder=folder)
    absent = set(held_out) - {path.stem for path in paths}
    if absent:
        raise VitralError("held_out_missing", names=", ".join(sorted(absent)), folder=folder)
    return paths


def _document(path: Path) -> Document:
    return Document(path.stem, "\n".join(paragraphs(read_text(path))))
