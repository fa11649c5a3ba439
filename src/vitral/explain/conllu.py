"""Reading treebanks in the CoNLL-U format of Universal Dependencies.

A line is a word, in ten columns; a blank line ends a sentence. Two kinds of line are no words of
the tree:

    18-19  del  _  …       one written word, "del", that stands for the words 18 "de" and 19 "el"
    8.1    fue  …          an empty node: a word that was left out, and is not written

A model reads what is written, so the words here are the *written* ones, and the relations of the
words that "del" stands for are those of "del". A relation between the two is inside one written
word and left out, and so are empty nodes: no head can attend to them.

Source: https://universaldependencies.org/format.html
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vitral.errors import VitralError

_NUM_COLUMNS = 10
_ID, _FORM, _HEAD, _RELATION, _MISC = 0, 1, 6, 7, 9


@dataclass(frozen=True)
class Relation:
    """A word depends on another: places of written words, counted from 0.

    `name` is the universal relation, without its subtype: "nsubj" for "nsubj:pass".
    """

    dependent: int
    governor: int
    name: str


@dataclass
class Sentence:
    """Written words, where each stands in `text`, and the dependencies."""

    text: str = ""
    words: list[str] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)


@dataclass
class _Line:
    number: int
    columns: list[str]


def read_treebank(path: Path) -> list[Sentence]:
    """The sentences of a CoNLL-U file, in their order.

    Raises VitralError `file_unreadable`, `file_not_utf8`, `treebank_line` (with the line and
    what is wrong in it), `treebank_empty`.
    """
    try:
        content = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise VitralError("file_unreadable", path=path, reason=error.strerror) from error
    except UnicodeDecodeError as error:
        raise VitralError("file_not_utf8", path=path, position=error.start) from error
    sentences = [_sentence(path, lines) for lines in _groups(path, content)]
    if not sentences:
        raise VitralError("treebank_empty", path=path)
    return sentences


def _groups(path: Path, content: str) -> Iterator[list[_Line]]:
    """The word lines of each sentence."""
    lines: list[_Line] = []
    for number, line in enumerate(content.removeprefix("\ufeff").split("\n"), 1):
        line = line.removesuffix("\r")
        if not line.strip():
            if lines:
                yield lines
            lines = []
        elif not line.startswith("#"):
            columns = line.split("\t")
            if len(columns) != _NUM_COLUMNS:
                raise VitralError(
                    "treebank_line", path=path, line=number, reason=f"{len(columns)} ≠ 10"
                )
            lines.append(_Line(number, columns))
    if lines:
        yield lines


def _sentence(path: Path, lines: list[_Line]) -> Sentence:
    sentence = Sentence()
    written: dict[int, int] = {}  # from a word of the tree to the written word that holds it
    tree: list[tuple[int, _Line]] = []
    covered = 0  # the last word of the tree that a written word before it stands for
    for line in lines:
        name = line.columns[_ID]
        if "." in name:
            continue
        first, _, last = name.partition("-")
        try:
            number, end = int(first), int(last or first)
        except ValueError as error:
            raise _wrong(path, line, name) from error
        if last:
            if end <= number:
                raise _wrong(path, line, name)
            _write(sentence, line)
            written |= dict.fromkeys(range(number, end + 1), len(sentence.words) - 1)
            covered = end
            continue
        if number != len(tree) + 1:
            raise _wrong(path, line, name)
        if number > covered:
            _write(sentence, line)
            written[number] = len(sentence.words) - 1
        tree.append((number, line))
    sentence.text = sentence.text.rstrip()
    for number, line in tree:
        try:
            head = int(line.columns[_HEAD])
        except ValueError as error:
            raise _wrong(path, line, line.columns[_HEAD]) from error
        if not 0 <= head <= len(tree):
            raise _wrong(path, line, str(head))
        relation = line.columns[_RELATION].partition(":")[0]
        if head and written[number] != written[head]:
            sentence.relations.append(Relation(written[number], written[head], relation))
    return sentence


def _write(sentence: Sentence, line: _Line) -> None:
    """Add a written word to the text, and a space unless the treebank says that there is none."""
    form = line.columns[_FORM]
    start = len(sentence.text)
    sentence.words.append(form)
    sentence.places.append((start, start + len(form)))
    space = "" if "SpaceAfter=No" in line.columns[_MISC].split("|") else " "
    sentence.text += form + space


def _wrong(path: Path, line: _Line, reason: str) -> VitralError:
    return VitralError("treebank_line", path=path, line=line.number, reason=f"“{reason}”")
