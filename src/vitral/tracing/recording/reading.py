"""Turning text into tokens that know their place in it.

Works with both kinds of tokenizer: `tokenizers.Tokenizer` (what a tokenizer.json holds) and
transformers' own. Places are counted in characters of the text as it was given, whatever the
tokenizer normalises, and cover whole characters: where byte-level BPE splits one, each of its
tokens stands for all of it.
"""

import unicodedata
from dataclasses import replace
from typing import Any

from vitral.errors import VitralError
from vitral.surfaces.place import TextSpan
from vitral.tracing.token import Token


def read_text(tokenizer: Any, text: str) -> list[Token]:
    """The tokens of `text`, special ones that the tokenizer adds included. Nothing is cut.

    Raises VitralError `text_empty` for a text without a word, `text_not_unicode` for one that
    holds half a character (a lone surrogate, as undecodable bytes leave behind).
    """
    if not text.strip():
        raise VitralError("text_empty")
    broken = next((i for i, char in enumerate(text) if "\ud800" <= char <= "\udfff"), None)
    if broken is not None:
        raise VitralError("text_not_unicode", position=broken)
    if hasattr(tokenizer, "encode_batch"):
        tokens = _read_with_tokenizers(tokenizer, text)
    else:
        tokens = _read_with_transformers(tokenizer, text)
    if not tokens:
        raise VitralError("text_empty")
    return _with_their_marks(tokens, text)


def _with_their_marks(tokens: list[Token], text: str) -> list[Token]:
    """Marks between two tokens belong to the letter before them.

    A tokenizer that composes letters ("n" and a combining tilde become "ñ") places the token at
    the letter alone and leaves out the mark; a mark that is a token of its own stays one.
    """
    if not any(map(unicodedata.combining, text)):
        return tokens
    whole, following = [], len(text)
    for token in reversed(tokens):
        if token.start is not None and token.end is not None:
            end = token.end
            while end < following and unicodedata.combining(text[end]):
                end += 1
            following = token.start
            token = replace(token, text=text[token.start : end], place=TextSpan(token.start, end))
        whole.append(token)
    return whole[::-1]


def _read_with_tokenizers(tokenizer: Any, text: str) -> list[Token]:
    if tokenizer.truncation is not None or tokenizer.padding is not None:
        tokenizer = type(tokenizer).from_str(tokenizer.to_str())  # the given one is left alone
        tokenizer.no_truncation()
        tokenizer.no_padding()
    encoding = tokenizer.encode(text)
    special = {
        number for number, added in tokenizer.get_added_tokens_decoder().items() if added.special
    }
    return [
        _token(text, number, piece, place, added=bool(added), special=number in special)
        for number, piece, place, added in zip(
            encoding.ids,
            encoding.tokens,
            encoding.offsets,
            encoding.special_tokens_mask,
            strict=True,
        )
    ]


def _read_with_transformers(tokenizer: Any, text: str) -> list[Token]:
    special = set(tokenizer.all_special_ids)
    if not getattr(tokenizer, "is_fast", False):  # it cannot say where its tokens stand
        ids = tokenizer(text, truncation=False)["input_ids"]
        pieces = tokenizer.convert_ids_to_tokens(ids)
        return [
            Token(
                number,
                piece if number in special else tokenizer.decode([number]),
                special=number in special,
            )
            for number, piece in zip(ids, pieces, strict=True)
        ]
    read = tokenizer(
        text, truncation=False, return_offsets_mapping=True, return_special_tokens_mask=True
    )
    pieces = tokenizer.convert_ids_to_tokens(read["input_ids"])
    return [
        _token(text, number, piece, place, added=bool(added), special=number in special)
        for number, piece, place, added in zip(
            read["input_ids"],
            pieces,
            read["offset_mapping"],
            read["special_tokens_mask"],
            strict=True,
        )
    ]


def _token(
    text: str, number: int, piece: str, place: tuple[int, int], *, added: bool, special: bool
) -> Token:
    start, end = place
    if added or (special and start == end):
        return Token(number, piece, special=True)
    if piece == "▁" and text[start:end].strip(" ▁"):
        end = start  # a space put before the text, which is not in it
    # A special token's name that the text itself spells ("[MASK]"). A word that the vocabulary
    # does not know is special only as an id: it is shown as the word it is.
    return Token(number, text[start:end], start, end, special and text[start:end] == piece)


def bare_tokens(ids: list[int], tokenizer: Any = None) -> list[Token]:
    """Tokens for ids that come without a text: named by the vocabulary, or by their number."""
    if tokenizer is None:
        return [Token(number, str(number)) for number in ids]
    if hasattr(tokenizer, "encode_batch"):
        decoder = tokenizer.get_added_tokens_decoder()
        special = {number for number, added in decoder.items() if added.special}
        name = tokenizer.id_to_token
    else:
        special = set(tokenizer.all_special_ids)
        name = tokenizer.convert_ids_to_tokens
    return [
        Token(
            number,
            (name(number) if number in special else tokenizer.decode([number])) or str(number),
            special=number in special,
        )
        for number in ids
    ]
