"""Pairs of texts: the input and the answer, for models that turn one into the
other.

They are in files, one pair per line: `.tsv`, "source TAB target"; or `.jsonl`, objects with
"source" and "target". Or a rule generates them, such as numbers and dates in Spanish words.

Which pairs are held out depends on the run's seed and on what is read (`split.draw`): however
often and wherever a source stands, it is either learned from or asked about, never both.
"""

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from tokenizers import AddedToken, Tokenizer, processors

from vitral.data.files_below import files_below
from vitral.data.spanish_dates import FIRST_YEAR, LAST_YEAR, date_in_digits, date_in_words
from vitral.data.spanish_numbers import number_in_digits, number_in_words
from vitral.errors import VitralError
from vitral.text.tokenizers import BEGIN, special_id, train_tokenizer

PAD, END = "[PAD]", "</s>"

ENDINGS = (".tsv", ".jsonl")


@dataclass(frozen=True)
class Pair:
    """The input text, and the answer."""

    source: str
    target: str


def read_pairs(paths: Sequence[str | Path]) -> Iterator[Pair]:
    """The pairs of files and folders, in NFC, one at a time; a folder's files sorted by name.

    Raises VitralError `source_missing`, `data_missing` where a folder has no such file,
    `pair_file_unknown` for a file of another kind, `file_not_utf8`, and `pair_invalid` with the
    line that is not a pair.
    """
    for path in map(Path, paths):
        if path.is_dir():
            files = [each for each in files_below(path) if each.suffix in ENDINGS]
            if not files:
                raise VitralError("data_missing", folder=path, endings=", ".join(ENDINGS))
        elif not path.is_file():
            raise VitralError("source_missing", source=path)
        elif path.suffix not in ENDINGS:
            raise VitralError("pair_file_unknown", path=path, endings=", ".join(ENDINGS))
        else:
            files = [path]
        for each in files:
            yield from _in_file(each)


def _in_file(path: Path) -> Iterator[Pair]:
    split = _of_tab if path.suffix == ".tsv" else _of_json
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                text = unicodedata.normalize("NFC", line.decode("utf-8-sig")).strip("\r\n")
            except UnicodeDecodeError as error:
                place = file.tell() - len(line) + error.start
                raise VitralError("file_not_utf8", path=path, position=place) from None
            if not text.strip():
                continue
            pair = split(text)
            if pair is None or not (pair.source.strip() and pair.target.strip()):
                raise VitralError("pair_invalid", path=path, line=number)
            yield pair


def _of_tab(line: str) -> Pair | None:
    parts = line.split("\t")
    return Pair(*parts) if len(parts) == 2 else None


def _of_json(line: str) -> Pair | None:
    try:
        entries = json.loads(line)
        source, target = entries["source"], entries["target"]
    except (ValueError, KeyError, TypeError):
        return None
    return Pair(source, target) if isinstance(source, str) and isinstance(target, str) else None


def spanish_number(random: Random, digits: int) -> Pair:
    """A number of 1 to `digits` digits, each length as likely as another."""
    length = random.randint(1, digits)
    least = 0 if length == 1 else 10 ** (length - 1)
    number = random.randint(least, 10**length - 1)
    return Pair(number_in_digits(number), number_in_words(number))


def spanish_date(random: Random, digits: int) -> Pair:
    """A day of the years 1000 to 2999 (`digits` means nothing here)."""
    first, last = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
    day = first + timedelta(days=random.randint(0, (last - first).days))
    return Pair(date_in_digits(day), date_in_words(day))


GENERATED: dict[str, Callable[[Random, int], Pair]] = {
    "spanish_numbers": spanish_number,
    "spanish_dates": spanish_date,
}
"""Pairs that a rule generates, by their name in a recipe."""


def generate_pairs(kinds: Sequence[str], *, digits: int, count: int, seed: int) -> Iterator[Pair]:
    """`count` pairs of those kinds, alternating, the same ones for the same seed. There are few
    short numbers, so they repeat."""
    random = Random(seed)
    for number in range(count):
        yield GENERATED[kinds[number % len(kinds)]](random, digits)


def train_pair_tokenizer(pairs: Iterable[Pair], kind: str, vocab_size: int) -> Tokenizer:
    """One tokenizer for both sides. "</s>" ends a text, "<s>" is what a decoder reads first,
    and "[PAD]" fills short rows."""
    tokenizer = train_tokenizer(
        (text for pair in pairs for text in (pair.source, pair.target)), kind, vocab_size
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in (PAD, BEGIN, END)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}",
        pair=f"$A {END} $B {END}",
        special_tokens=[(END, tokenizer.token_to_id(END))],
    )
    return tokenizer


def pair_marks(tokenizer: Tokenizer) -> dict[str, int]:
    """The ids of these three marks, as models' configurations name them."""
    return {
        "pad_token_id": special_id(tokenizer, PAD),
        "decoder_start_token_id": special_id(tokenizer, BEGIN),
        "eos_token_id": special_id(tokenizer, END),
    }
