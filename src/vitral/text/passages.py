"""Cutting a long text where no tokenizer notices.

Tokenizers keep a hundred bytes and more of notes for every character that they read at once. So
a book is read in passages, cut between two words, before the space. Every tokenizer of ours
starts a new piece there, so the passages' tokens are exactly the text's.

    >>> list(passages("El perro duerme.", 4))
    ['El perro', ' duerme.']
"""

import re
from collections.abc import Iterator

LENGTH = 2**16
"""Approximate characters of a passage: it extends to the next space between two words."""

_BETWEEN_WORDS = re.compile(r"(?<=\S) (?=\w)")


def passages(text: str, length: int = LENGTH) -> Iterator[str]:
    """The text in pieces, in order, of at least `length` characters but for the last."""
    start = 0
    while start < len(text):
        found = _BETWEEN_WORDS.search(text, start + length)
        end = len(text) if found is None else found.start()
        yield text[start:end]
        start = end
