"""Two encoders with different tokens, asked for the same hidden words.

Masked-word accuracy counts tokens, and a model that cuts words finely is asked easier questions
and more of them. Here both are asked for the same whole words in the same passages: words that
are one token to either of them. Of these a share is drawn and all of them are masked; everything
else is what it is.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn

from vitral.text.tokenizers import special_id
from vitral.training.evaluation import ratio

WORD = re.compile(r"[^\W\d_]+")
WORDS_OF_A_PASSAGE = 100
SHARE = 0.15
BATCH = 16


@dataclass(frozen=True)
class Reader:
    """An encoder with its tokenizer."""

    model: nn.Module
    tokenizer: Tokenizer

    def whole_words(self, passage: str) -> dict[tuple[int, int], int]:
        """The words that are one token: from their places in the passage to the tokens' places.
        A token may have the space before its word in it."""
        encoding = self.tokenizer.encode(passage)
        tokens: dict[tuple[int, int], list[int]] = {}
        for number, (start, end) in enumerate(encoding.offsets):
            start += len(passage[start:end]) - len(passage[start:end].lstrip())
            if end > start:
                tokens.setdefault((start, end), []).append(number)
        spans = (match.span() for match in WORD.finditer(passage))
        return {span: tokens[span][0] for span in spans if len(tokens.get(span, ())) == 1}

    @torch.no_grad()
    def guesses(self, passages: Sequence[str], hidden: Sequence[Sequence[int]]) -> list[list[bool]]:
        """For each passage whether the first guess at each of its `hidden` tokens is right."""
        mask = special_id(self.tokenizer, "[MASK]", "<mask>")
        pad = special_id(self.tokenizer, "[PAD]", "<pad>")
        encoder: Any = self.model
        found: list[list[bool]] = []
        for first in range(0, len(passages), BATCH):
            rows = [self.tokenizer.encode(text).ids for text in passages[first : first + BATCH]]
            width = max(map(len, rows))
            right_BT = torch.tensor([row + [pad] * (width - len(row)) for row in rows])
            shown_BT = right_BT.clone()
            for row, places in enumerate(hidden[first : first + BATCH]):
                shown_BT[row, list(places)] = mask
            x_BTC = encoder.encode(shown_BT, (right_BT != pad).long())
            for row, places in enumerate(hidden[first : first + BATCH]):
                here = list(places)
                guess = encoder.head(x_BTC[row, here]).argmax(-1)
                found.append((guess == right_BT[row, here]).tolist())
        return found


def passages_of(text: str) -> list[str]:
    """Paragraphs put together, or cut, into passages of about a hundred words."""
    words = text.split()
    starts = range(0, len(words), WORDS_OF_A_PASSAGE)
    return [" ".join(words[start : start + WORDS_OF_A_PASSAGE]) for start in starts]


def same_words(
    readers: dict[str, Reader], texts: Sequence[str], *, every: int = 1, seed: int = 0
) -> dict[str, Any]:
    """The accuracy of each reader on the same hidden words of every `every`-th passage."""
    passages = [passage for text in texts for passage in passages_of(text)][::every]
    lot = random.Random(seed)
    hidden: dict[str, list[list[int]]] = {name: [] for name in readers}
    asked: list[str] = []
    for passage in passages:
        places = {name: reader.whole_words(passage) for name, reader in readers.items()}
        common = set.intersection(*(set(found) for found in places.values()))
        chosen = [span for span in sorted(common) if lot.random() < SHARE]
        if chosen:
            asked.append(passage)
            for name in readers:
                hidden[name].append([places[name][span] for span in chosen])
    figures: dict[str, Any] = {"words": sum(map(len, next(iter(hidden.values()))))}
    for name, reader in readers.items():
        hits = reader.guesses(asked, hidden[name])
        share, error = ratio([float(sum(row)) for row in hits], [len(row) for row in hits])
        figures[name] = {"right": round(share, 4), "standard_error": round(error, 4)}
    return figures
