"""Texts as a decoder is measured on them: ids, and how much text their predictions stand for.

A token is predicted from those before it. So the first one is not predicted where nothing stands
before it, and what is not predicted does not count as text either: of a thousand short texts,
each without its first word's loss but with its bytes, the bits per byte would come out too low.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitral.text.raw_bytes import raw_bytes
from vitral.tracing.recording.inputs import check_ids
from vitral.tracing.recording.reading import read_text
from vitral.tracing.token import Token


@dataclass(frozen=True)
class MeasuredText:
    """The `ids` of a text with the marks before it, and without those after it. Those from place
    `first` on are predicted; `num_bytes` and `num_words` are the text that they spell."""

    ids: NDArray[np.int64]
    first: int
    num_bytes: int
    num_words: int


def measured_texts(
    tokenizer: Any, texts: Sequence[str], vocabulary: int | None = None
) -> list[MeasuredText]:
    """Each of `texts`, read. Raises what `read_text` raises, and `id_out_of_range` for a token
    that a model with a `vocabulary` of that size does not have."""
    measured = [_measured(tokenizer, text) for text in texts]
    check_ids([each.ids.tolist() for each in measured], vocabulary)
    return measured


def _measured(tokenizer: Any, text: str) -> MeasuredText:
    tokens = _without_end(read_text(tokenizer, text))
    num_marks = next((n for n, token in enumerate(tokens) if not _is_mark(token)), len(tokens))
    spelled, first = text, max(1, num_marks)
    num_bytes = len(text.encode())
    if num_marks == 0:
        end = tokens[0].end
        spelled = text[len(tokens[0].text) if end is None else end :]
        num_bytes = len(spelled.encode()) + _of_split_character(tokenizer, tokens)
    ids = np.array([token.id for token in tokens], dtype=np.int64)
    return MeasuredText(ids, first, num_bytes, len(spelled.split()))


def _of_split_character(tokenizer: Any, tokens: list[Token]) -> int:
    """How many bytes of the first token's last character the tokens after it stand for."""
    first = tokens[0]
    shared = [each for each in tokens[1:] if each.start is not None and each.start == first.start]
    if not shared or not first.text:
        return 0
    own = raw_bytes(tokenizer, first.id)
    num_bytes = len(first.text.encode())
    if own is None:
        return num_bytes * len(shared) // (len(shared) + 1)
    return max(0, num_bytes - len(own.split()))


def _without_end(tokens: list[Token]) -> list[Token]:
    while len(tokens) > 1 and _is_mark(tokens[-1]):
        tokens = tokens[:-1]
    return tokens


def _is_mark(token: Token) -> bool:
    """Whether a token was put around the text."""
    return token.special and token.start is None
