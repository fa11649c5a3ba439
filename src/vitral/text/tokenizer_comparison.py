"""What a tokenizer does to a text: how finely it splits, what it loses, how fast it is.

    figures = measure(tokenizer, ["El niño cruzó la calle. …"])
    figures.tokens_per_word, figures.whole_words

Few tokens per word mean that more text fits into a context and fewer steps are needed to write it;
words kept whole have a vector of their own. Compare tokenizers on text that none of them learned
from: on the text that it was trained on, every one of them looks better than it is.
"""

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tokenizers import Encoding, Tokenizer

from vitral.errors import VitralError
from vitral.text.as_text import as_text
from vitral.text.passages import passages
from vitral.text.special_tokens import UNKNOWN

_LETTERS = re.compile(r"[^\W\d_]+")
_PASSAGES_AT_ONCE = 16


@dataclass(frozen=True)
class TokenizerFigures:
    """Of a tokenizer on a text. A *word* is what stands between spaces (as in `vitral
    evaluate`); shares are 0 … 1.

    `whole_words`: of the runs of letters, those that are one token. `unknown`: of the tokens,
    those that stand for something that the vocabulary lacks. `exact`: of the lines, those that
    decoding reproduces character for character.
    """

    vocab_size: int
    num_tokens: int
    num_words: int
    num_bytes: int
    whole_words: float
    unknown: float
    exact: float
    tokens_per_second: float

    @property
    def tokens_per_word(self) -> float:
        return self.num_tokens / self.num_words

    @property
    def bytes_per_token(self) -> float:
        return self.num_bytes / self.num_tokens


def measure(tokenizer: Tokenizer, texts: Sequence[str]) -> TokenizerFigures:
    """The figures over all `texts`. Marks before and after a text do not count. The speed is that
    of encoding, offsets included, on the free CPU cores.

    Raises VitralError `text_empty` if there is no word.
    """
    num_tokens = unknown = letters = whole = 0
    seconds = 0.0
    unknown_ids = {tokenizer.token_to_id(name) for name in (UNKNOWN, "[UNK]")} - {None}
    for batch in _batches(texts):
        since = time.perf_counter()
        with as_text(tokenizer):
            encodings = tokenizer.encode_batch(batch, add_special_tokens=False)
        seconds += time.perf_counter() - since
        for text, encoding in zip(batch, encodings, strict=True):
            num_tokens += len(encoding.ids)
            unknown += sum(number in unknown_ids for number in encoding.ids)
            found, one_token = _whole_words(text, encoding, unknown_ids)
            letters, whole = letters + found, whole + one_token
    lines = [line for text in texts for line in text.split("\n") if line.strip()]
    num_words = sum(len(line.split()) for line in lines)
    if num_words == 0 or num_tokens == 0:
        raise VitralError("text_empty")
    return TokenizerFigures(
        vocab_size=tokenizer.get_vocab_size(),
        num_tokens=num_tokens,
        num_words=num_words,
        num_bytes=sum(len(text.encode()) for text in texts),
        whole_words=whole / max(1, letters),
        unknown=unknown / num_tokens,
        exact=_num_exact(tokenizer, lines) / len(lines),
        tokens_per_second=num_tokens / seconds,
    )


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    pieces = [piece for text in texts for piece in passages(text)]
    for first in range(0, len(pieces), _PASSAGES_AT_ONCE):
        yield pieces[first : first + _PASSAGES_AT_ONCE]


def _whole_words(text: str, encoding: Encoding, unknown_ids: set[int | None]) -> tuple[int, int]:
    """The words of a text, and those of them that are one token, with or without their space."""
    spans = Counter(  # two bytes of one character have the same span
        (start + (text[start : start + 1] == " "), end)
        for number, (start, end) in zip(encoding.ids, encoding.offsets, strict=True)
        if number not in unknown_ids
    )
    words = [match.span() for match in _LETTERS.finditer(text)]
    return len(words), sum(spans[word] == 1 for word in words)


def _num_exact(tokenizer: Tokenizer, lines: Sequence[str]) -> int:
    with as_text(tokenizer):
        encodings = tokenizer.encode_batch(list(lines), add_special_tokens=False)
    decoded = tokenizer.decode_batch([encoding.ids for encoding in encodings])
    return sum(line == again for line, again in zip(lines, decoded, strict=True))
