"""Tokenizers: how a text becomes numbers, and the numbers a text again.

    tokenizer = train_tokenizer(["El niño cruzó la calle.", …], "byte_bpe", 8192)
    tokenizer.encode("¿Qué?").tokens
    tokenizer.save("tokenizer.json")          # transformers opens it

All of them are trained and run by the `tokenizers` library. Every text begins with "<s>", which
also ends it; WordPiece has BERT's marks instead.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from tokenizers import Tokenizer

from vitral.errors import VitralError
from vitral.text.interruptible import interruptible
from vitral.text.passages import passages
from vitral.text.special_tokens import BEGIN, UNKNOWN, WORDPIECE_SPECIALS, special_id
from vitral.text.tokenizer_kinds import (
    train_bpe,
    train_byte,
    train_byte_level_bpe,
    train_character,
    train_unigram,
    train_word,
    train_wordpiece,
)

__all__ = [
    "BEGIN",
    "KINDS",
    "UNKNOWN",
    "WORDPIECE_SPECIALS",
    "special_id",
    "train_byte_level_bpe",
    "train_tokenizer",
    "train_wordpiece",
]

KINDS: dict[str, Callable[[Iterable[str], int], Tokenizer]] = {
    "character": train_character,
    "word": train_word,
    "byte": train_byte,
    "bpe": train_bpe,
    "byte_bpe": train_byte_level_bpe,
    "wordpiece": train_wordpiece,
    "unigram": train_unigram,
}
"""By name, from the text's smallest parts to its statistics."""

WITHOUT_SIZE = ("character", "byte")
"""Kinds whose vocabulary the text (or UTF-8) decides; a size is the most that they may have."""

MOST_CHARACTERS = 1_000_000_000
"""Of a longer corpus the first so many characters are read: more would not change which pieces
are frequent, but a table of all its words has to fit into memory."""


LONGEST_WORD = 256
"""Letters of a word that a tokenizer learns from at once; a longer one is several words to it."""

_LONG = re.compile(rf"\S{{{LONGEST_WORD + 1},}}")


def train_tokenizer(
    texts: Iterable[str],
    kind: str,
    vocab_size: int,
    *,
    most_characters: int = MOST_CHARACTERS,
) -> Tokenizer:
    """A tokenizer of that `kind` with exactly `vocab_size` tokens, marks included (of "character"
    and "byte", at most). The texts stream by; a table of their words is kept in memory. The same
    texts give the same tokenizer, but for the library's trainers of unigram and WordPiece, which
    break ties at random (so the largest size that WordPiece's error names keeps a margin).

    Raises VitralError: `tokenizer_kind`, `corpus_empty` (no text at all),
    `vocabulary_too_large` (the texts do not give so many pieces; it says how many they give),
    `vocabulary_too_small` (not even their characters fit).
    """
    if kind not in KINDS:
        raise VitralError("tokenizer_kind", kind=kind, known=", ".join(KINDS))
    if kind == "byte":
        return train_byte()
    least = _least(kind)
    if vocab_size < least:
        raise VitralError("vocabulary_too_small", size=vocab_size, least=least, kind=kind)
    characters: set[str] = set()
    parts = _bounded(texts, most_characters, characters)
    first = next(parts, None)
    if first is None:
        raise VitralError("corpus_empty", sources=kind)
    try:
        read = chain([first], parts)
        tokenizer = interruptible(lambda: KINDS[kind](read, vocab_size))
        found = tokenizer.get_vocab_size()
    except Exception as error:
        if "not large enough" not in str(error):  # what the library says of a unigram model
            raise
        found = vocab_size + 1
    if kind not in WITHOUT_SIZE and found < vocab_size:
        largest = found - (max(4, found // 200) if kind == "wordpiece" else 0)
        raise VitralError("vocabulary_too_large", size=vocab_size, largest=largest, kind=kind)
    if found > vocab_size:
        least = len(characters) + 3 if kind == "unigram" else found
        raise VitralError("vocabulary_too_small", size=vocab_size, least=least, kind=kind)
    return tokenizer


def _least(kind: str) -> int:
    """Marks and bytes that a vocabulary holds before anything is learned, and one token more."""
    marks = len(WORDPIECE_SPECIALS) if kind == "wordpiece" else 2
    return 257 if kind == "byte_bpe" else marks + 1


def _bounded(texts: Iterable[str], most_characters: int, characters: set[str]) -> Iterator[str]:
    """Passages of the texts, as many as are read; the `characters` in them are noted."""
    length = 0
    for text in texts:
        for passage in passages(text):
            if length >= most_characters:
                return
            length += len(passage)
            characters.update(passage)
            if passage.strip():
                yield from _shorter_words(passage)


def _shorter_words(passage: str) -> Iterator[str]:
    """The passage, in pieces if words in it are longer than any that teaches something: a trainer
    goes through a whole word for every pair of letters that it joins in it."""
    start = 0
    for word in _LONG.finditer(passage):
        yield passage[start : word.start()]
        for place in range(word.start(), word.end(), LONGEST_WORD):
            yield passage[place : min(place + LONGEST_WORD, word.end())]
        start = word.end()
    if start < len(passage):
        yield passage[start:]
