"""A corpus: documents, read one at a time from files, folders and datasets.

    for document in read_documents(["libros/", "noticias.jsonl"]):
        print(document.name, len(document.text))

A *source* is a text file (one document), a .jsonl file (one document a line), a Parquet file (one
a row), a folder (all such files, also those in folders below and in folders that it links to), or
a Hugging Face dataset (one document a row). Text and .jsonl files may be compressed (.gz). No more
than one document is in memory at a time, and a file too large for that is read in parts.
"""

import codecs
import gzip
import json
import os
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

from vitral.data.cleaning import clean
from vitral.data.files_below import files_below
from vitral.errors import VitralError

Cleaning = Literal["prose", "plain"]

_TEXTS = (".txt", ".md", ".jsonl")
ENDINGS = (*_TEXTS, *(f"{ending}.gz" for ending in _TEXTS), ".parquet")
"""The files of a folder that are read. Those whose name begins with a dot are left out."""

LARGEST_DOCUMENT = 32 * 2**20
"""A text file of more bytes than this is read in parts of about as many bytes, each a document
that ends where a paragraph does."""

_BLOCK = 2**20


@dataclass(frozen=True)
class Document:
    """A cleaned text. `name` is its own in the corpus and the same each time it is read: the
    file's path in its folder without the ending; `file:17` for line 17 of a .jsonl file, row 17
    of a dataset, or part 17 of a file larger than `LARGEST_DOCUMENT`."""

    name: str
    text: str


def read_documents(
    sources: Sequence[str | Path], *, text_field: str = "text", cleaning: Cleaning = "prose"
) -> Iterator[Document]:
    """The documents of all `sources`, one after another; files of a folder sorted by their path.

    `hf:NAME`, `hf:NAME:SPLIT` or a folder written by `datasets.save_to_disk` is a Hugging Face
    dataset. `text_field` is where a .jsonl line or a dataset's row has its text. Documents
    without a word are left out.

    Raises VitralError: `source_missing`, `data_missing` (a folder without such files),
    `source_twice`, `file_unreadable`, `file_binary`, `file_not_utf8`, `jsonl_line`,
    `corpus_empty`, and what `vitral.data.hugging_face` raises.
    """
    found = False
    for name, text in _texts(sources, text_field):
        cleaned = clean(text, cleaning)
        if cleaned.strip():
            found = True
            yield Document(name, cleaned)
    if not found:
        raise VitralError("corpus_empty", sources=", ".join(str(source) for source in sources))


def read_text(path: Path) -> str:
    """The text of a UTF-8 file. Raises `file_unreadable`, `file_binary`, `file_not_utf8`."""
    return "".join(_decoded(path))


def _texts(sources: Sequence[str | Path], text_field: str) -> Iterator[tuple[str, str]]:
    """Names and texts, as they stand in the files."""
    from vitral.data.hugging_face import dataset_name, is_dataset, read_dataset
    from vitral.data.parquet import read_parquet

    found: list[tuple[Path, Path]] = []  # each file, and the folder that its name starts from
    datasets = []
    for source in sources:
        if is_dataset(source):
            datasets.append(source)
        else:
            found += _files(Path(source).expanduser())
    names = _names(found)
    _refuse_twice([*names.values(), *(dataset_name(source) for source in datasets)])
    for path, _ in found:
        if ending_of(path) == ".parquet":
            yield from read_parquet(path, names[path], text_field)
        elif ending_of(path).startswith(".jsonl"):
            yield from _lines(path, names[path], text_field)
        else:
            yield from _parts(path, names[path])
    for source in datasets:
        yield from read_dataset(source, text_field)


def _files(source: Path) -> list[tuple[Path, Path]]:
    if source.is_file():
        return [(source, source.parent)]
    if not source.is_dir():
        raise VitralError("source_missing", source=source)
    paths = [path for path in files_below(source) if ending_of(path) in ENDINGS]
    if not paths:
        raise VitralError("data_missing", folder=source, endings=", ".join(ENDINGS))
    return [(path, source) for path in paths]


def _names(found: list[tuple[Path, Path]]) -> dict[Path, str]:
    """A name for each file: its path in the folder without the ending; with the ending, or else
    the whole path, where two files would have the same one."""
    _refuse_twice([str(path.resolve()) for path, _ in found])
    names: dict[Path, str] = {}
    left = found
    for form in (_without_ending, _with_ending, _in_full):
        count = Counter(form(path, root) for path, root in left)
        names |= {path: form(path, root) for path, root in left}
        left = [(path, root) for path, root in left if count[form(path, root)] > 1]
    return names


def _without_ending(path: Path, root: Path) -> str:
    name = path.relative_to(root).as_posix()
    return name[: len(name) - len(ending_of(path))]


def ending_of(path: Path) -> str:
    """The ending of a file's name, in small letters; that of a compressed file has two parts."""
    name = path.name.lower()
    last = Path(name).suffix
    return Path(name.removesuffix(last)).suffix + last if last == ".gz" else last


def _with_ending(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _in_full(path: Path, root: Path) -> str:
    return path.as_posix()


def _refuse_twice(names: list[str]) -> None:
    twice = [name for name, number in Counter(names).items() if number > 1]
    if twice:
        raise VitralError("source_twice", source=twice[0])


def _lines(path: Path, name: str, text_field: str) -> Iterator[tuple[str, str]]:
    """The texts of a .jsonl file's lines; blank lines hold none."""
    rest, number = "", 0
    for block in chain(_decoded(path), "\n"):  # the last line may have no end
        *lines, rest = (rest + block).split("\n")
        for line in lines:
            number += 1
            if line.strip():
                yield f"{name}:{number}", _text_of(line, path, number, text_field)


def _text_of(line: str, path: Path, number: int, text_field: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise VitralError("jsonl_line", path=path, line=number, reason=str(error)) from None
    text = entry.get(text_field) if isinstance(entry, dict) else None
    if not isinstance(text, str):
        has = ", ".join(entry) if isinstance(entry, dict) else type(entry).__name__
        reason = f'"{text_field}"? {{{has}}}'
        raise VitralError("jsonl_line", path=path, line=number, reason=reason)
    try:
        text.encode()
    except UnicodeEncodeError as error:  # "\\ud800": half a character
        raise VitralError("jsonl_line", path=path, line=number, reason=str(error)) from None
    return text


def _parts(path: Path, name: str) -> Iterator[tuple[str, str]]:
    """A file's text, in one piece unless it is larger than `LARGEST_DOCUMENT`."""
    if path.stat().st_size <= LARGEST_DOCUMENT and not _is_compressed(path):
        yield name, read_text(path)
        return
    blocks: list[str] = []
    number = length = 0
    for block in _decoded(path):
        end = _part_end(block, length / LARGEST_DOCUMENT)
        if end:
            number += 1
            yield f"{name}:{number}", "".join([*blocks, block[:end]])
            blocks, length, block = [], 0, block[end:]
        blocks.append(block)
        length += len(block)
    yield f"{name}:{number + 1}" if number else name, "".join(blocks)


def _is_compressed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _part_end(block: str, fullness: float) -> int:
    """Where in `block` a part ends that is so full already; 0 if not there. The fuller it is,
    the lesser the break that will do."""
    for mark, enough in (("\n\n", 0.8), ("\n", 1.0), (" ", 1.2)):
        place = block.rfind(mark)
        if fullness >= enough and place >= 0:
            return place + len(mark)
    return 0


def _decoded(path: Path) -> Iterator[str]:
    """A UTF-8 file's text, block by block, without a byte order mark and with line breaks "\\n"."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    position = 0
    returned = ""  # a carriage return at a block's end may belong to the line break after it
    try:
        with gzip.open(path) if _is_compressed(path) else path.open("rb") as file:
            while True:
                data = file.read(_BLOCK)
                if b"\0" in data:
                    raise VitralError(
                        "file_binary", path=path, position=position + data.index(b"\0")
                    )
                pending = len(decoder.getstate()[0])
                try:
                    text = decoder.decode(data, final=not data)
                except UnicodeDecodeError as error:
                    raise VitralError(
                        "file_not_utf8", path=path, position=position - pending + error.start
                    ) from None
                if position == 0:
                    text = text.removeprefix("\ufeff")
                position += len(data)
                text = returned + text
                returned = "\r" if data and text.endswith("\r") else ""
                text = text[: len(text) - len(returned)]
                if text:
                    yield text.replace("\r\n", "\n").replace("\r", "\n")
                if not data:
                    return
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:  # cut short, or no gzip at all
        raise VitralError("file_unreadable", path=path, reason=str(error)) from error
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise VitralError("file_unreadable", path=path, reason=reason) from error
