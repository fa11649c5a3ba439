"""What the pieces of a vocabulary spell, and how another vocabulary spells the same.

Tokenizers mark in different ways whether a piece begins a word. "perro" after a space is
"▁perro" in SentencePiece, "Ġperro" in byte-level BPE, " perro" in ours, and plain "perro" in
WordPiece, which marks continuing pieces, "##ro". Here a piece is its *surface*, the text that
it stands for and whether a space stands before it, so that vocabularies can be compared.

    spelled_by(new, old)[new.token_to_id("cruzó")]   # the old ids of "▁cruz", "ó"
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer

from vitral.text.tokenizer_kinds import byte_names

ROLES = (
    ("[CLS]", "<s>", "<bos>", "<|endoftext|>"),
    ("[SEP]", "</s>", "<eos>", "<|endoftext|>", "<s>"),
    ("[PAD]", "<pad>"),
    ("[UNK]", "<unk>"),
    ("[MASK]", "<mask>"),
)
"""The names of special tokens by what they are for: before a text, after it, filling, unknown,
hidden."""

OPENING = "¿¡(«“‘—"
"""Marks that stand after a space rather than before one."""

_META = "▁"
_NAMES = byte_names()
_BYTES = {name: byte for byte, name in enumerate(_NAMES)}
_RAW_BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")


@dataclass(frozen=True)
class Surface:
    """The text that a piece stands for; `after_space` if a space is before it."""

    text: str
    after_space: bool


class Pieces:
    """The vocabulary of a tokenizer, as surfaces and back."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.vocabulary: dict[str, int] = tokenizer.get_vocab()
        added = tokenizer.get_added_tokens_decoder()
        self.special = {token.content: number for number, token in added.items() if token.special}
        about = json.loads(tokenizer.to_str())
        self.model: dict[str, Any] = about["model"]
        parts = [about[part] for part in ("normalizer", "pre_tokenizer", "decoder")]
        around = json.dumps(parts, ensure_ascii=False)
        if self.model["type"] == "WordPiece":
            self.kind = "wordpiece"
        elif '"ByteLevel"' in around:
            self.kind = "bytes"
        elif _META in around:
            self.kind = "metaspace"
        else:
            self.kind = "spaces"
        self._unknown = {self.special.get(name) for name in ROLES[3]}

    def surface(self, piece: str) -> Surface | None:
        """What a piece stands for; None for bytes that are no whole characters."""
        if self.kind == "wordpiece":
            prefix = str(self.model["continuing_subword_prefix"])
            goes_on = piece.startswith(prefix) and len(piece) > len(prefix)
            return Surface(piece[len(prefix) :] if goes_on else piece, not goes_on)
        if self.kind == "metaspace" and _RAW_BYTE.fullmatch(piece):
            return None
        if self.kind == "bytes":
            text = _of_bytes(piece)
            if text is None:
                return None
        else:
            text = piece.replace(_META, " ") if self.kind == "metaspace" else piece
        return Surface(text.removeprefix(" "), text.startswith(" "))

    def spelling(self, surface: Surface) -> list[int]:
        """The ids of the pieces that spell a surface in the middle of a text, without those that
        stand for what the vocabulary lacks."""
        text = surface.text
        if self.tokenizer.normalizer is not None:
            text = self.tokenizer.normalizer.normalize_str(text).strip(f" {_META}")
        space = " " if surface.after_space else ""
        if self.kind == "wordpiece":
            return self._spelled_as_word(text, surface.after_space)
        if self.kind == "bytes":
            return self._cut("".join(_NAMES[byte] for byte in (space + text).encode()))
        if self.kind == "metaspace":
            return self._cut((space + text).replace(" ", _META))
        parts = [space + text]
        if self.tokenizer.pre_tokenizer is not None:
            found = self.tokenizer.pre_tokenizer.pre_tokenize_str(space + text)
            parts = [part for part, _ in found]
        return [number for part in parts for number in self._cut(part)]

    def _spelled_as_word(self, text: str, after_space: bool) -> list[int]:
        """WordPiece: a continuing piece is looked up with its prefix."""
        parts = [text]
        if self.tokenizer.pre_tokenizer is not None:
            parts = [part for part, _ in self.tokenizer.pre_tokenizer.pre_tokenize_str(text)]
        if parts and not after_space and parts[0][0].isalnum():
            parts[0] = str(self.model["continuing_subword_prefix"]) + parts[0]
        return [number for part in parts for number in self._cut(part)]

    def _cut(self, text: str) -> list[int]:
        if not text:
            return []
        found = self.tokenizer.model.tokenize(text)
        return [token.id for token in found if token.id not in self._unknown]


def spelled_by(new: Tokenizer, old: Tokenizer) -> list[list[int]]:
    """For each id of `new`, the ids of `old` that spell its piece.

    A special token is spelled by the one with the same part to play, a piece that both have by
    itself. Empty where `old` has nothing that would do.
    """
    news, olds = Pieces(new), Pieces(old)
    found: list[list[int]] = [[] for _ in range(new.get_vocab_size())]
    for piece, number in news.vocabulary.items():
        if number >= len(found):
            continue
        if piece in news.special:
            found[number] = _same_part(piece, olds)
        elif news.kind == olds.kind and piece in olds.vocabulary:
            found[number] = [olds.vocabulary[piece]]
        else:
            found[number] = _shortest(piece, news, olds)
    return found


def _same_part(name: str, olds: Pieces) -> list[int]:
    """The special token with that name, or else one with the same role."""
    if name in olds.special:
        return [olds.special[name]]
    alike = (other for role in ROLES if name in role for other in role)
    return next(([olds.special[other]] for other in alike if other in olds.special), [])


def _shortest(piece: str, news: Pieces, olds: Pieces) -> list[int]:
    """The spelling of a piece with fewest old pieces. WordPiece does not say whether a mark has a
    space before it, so both are tried."""
    surface = news.surface(piece)
    if surface is None:
        return []
    either = news.kind == "wordpiece" and surface.after_space and not surface.text[:1].isalnum()
    if not either:
        return olds.spelling(surface)
    opening = surface.text[0] in OPENING
    spellings = [olds.spelling(Surface(surface.text, space)) for space in (opening, not opening)]
    return min((each for each in spellings if each), key=len, default=[])


def _of_bytes(piece: str) -> str | None:
    """The text of a byte-level piece, None where its bytes are no whole characters."""
    try:
        return bytes(_BYTES[letter] for letter in piece).decode()
    except (KeyError, UnicodeDecodeError):
        return None
