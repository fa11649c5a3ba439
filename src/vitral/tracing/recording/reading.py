"""Turning text into tokens with their positions in it.

Works with both kinds of tokenizer: `tokenizers.Tokenizer` (the content of a tokenizer.json) and
transformers' own. Positions count characters of the original text, before any normalisation, and
cover whole characters: if byte-level BPE splits one, each of its tokens covers all of it.

Names of special tokens in a text are text: "<s>" is three characters. Only the mask of an encoder
is the mask token wherever it is written, since there is no other way to ask for a word.
"""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from vitral.errors import VitralError
from vitral.surfaces.place import TextSpan
from vitral.text.as_text import as_text
from vitral.text.raw_bytes import BROKEN
from vitral.tracing.token import Token


def read_text(
    tokenizer: Any, text: str, *, special_tokens: bool = False, add_special_tokens: bool = True
) -> list[Token]:
    """The tokens of `text`, with the special ones that the tokenizer adds, unless
    `add_special_tokens` is false. Nothing is truncated. With `special_tokens`, the names of
    special tokens in the text are those tokens.

    Raises VitralError `text_empty` for a text of spaces only, `text_not_unicode` for one with half
    a character (a lone surrogate, which comes from undecodable bytes).
    """
    if not text.strip():
        raise VitralError("text_empty")
    broken = next((i for i, char in enumerate(text) if "\ud800" <= char <= "\udfff"), None)
    if broken is not None:
        raise VitralError("text_not_unicode", position=broken)
    inside = getattr(tokenizer, "backend_tokenizer", None)  # of transformers' fast ones
    if hasattr(tokenizer, "encode_batch"):
        tokens = _read_with_tokenizers(tokenizer, text, set(), special_tokens, add_special_tokens)
    elif getattr(tokenizer, "is_fast", False) and hasattr(inside, "encode_batch"):
        special = set(tokenizer.all_special_ids)
        tokens = _read_with_tokenizers(inside, text, special, special_tokens, add_special_tokens)
    else:
        tokens = _read_without_places(tokenizer, text, special_tokens, add_special_tokens)
    if not tokens:
        raise VitralError("text_empty")
    return _with_their_marks(tokens, text)


def _with_their_marks(tokens: list[Token], text: str) -> list[Token]:
    """Add combining marks between two tokens to the token before them.

    A tokenizer that composes letters ("n" and a combining tilde become "ñ", three jamo one
    syllable) gives the token the position of the first only; so do those that drop joiners and
    direction marks. A mark that is its own token remains one.
    """
    if not any(map(_leans, text)):
        return tokens
    whole, following = [], len(text)
    place, extended = (-1, -1), -1  # of the next token: its original position, and its extended end
    for token in reversed(tokens):
        if token.start is not None and token.end is not None:
            end = token.end
            if (token.start, token.end) == place:  # bytes of one character
                end = extended
            else:
                while end < following and _leans(text[end]):
                    end += 1
            place, extended = (token.start, token.end), end
            following = token.start
            token = replace(token, text=text[token.start : end], place=TextSpan(token.start, end))
        whole.append(token)
    return whole[::-1]


def _leans(character: str) -> bool:
    """Whether a character belongs to the one before it: a combining mark, the vowel or final
    consonant of a Hangul syllable, or an invisible character."""
    jamo = "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7ff"
    return jamo or unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf")


def _read_with_tokenizers(
    tokenizer: Any, text: str, special: set[int], special_tokens: bool, add_special_tokens: bool
) -> list[Token]:
    adding = {"add_special_tokens": add_special_tokens}
    added = tokenizer.get_added_tokens_decoder()
    special = special | {number for number, token in added.items() if token.special}
    mask = _mask_in(tokenizer, text)
    if mask is None or special_tokens:
        return _encoded(tokenizer, text, special, special_tokens=special_tokens, **adding)
    marked = _encoded(tokenizer, text, special, special_tokens=True, **adding)
    if all(not each.special or each.start is None or each.text == mask for each in marked):
        return marked
    return list(_around_masks(marked, mask, text, lambda part: _plain(tokenizer, part, special)))


def _plain(tokenizer: Any, text: str, special: set[int]) -> list[Token]:
    return _encoded(tokenizer, text, special, special_tokens=False, add_special_tokens=False)


def _encoded(
    tokenizer: Any,
    text: str,
    special: set[int],
    *,
    special_tokens: bool,
    add_special_tokens: bool,
) -> list[Token]:
    with as_text(tokenizer, special_tokens=special_tokens):
        encoding = tokenizer.encode(text, add_special_tokens=add_special_tokens)
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


def _mask_in(tokenizer: Any, text: str) -> str | None:
    """The mask's name, if the text has it and it is a token of its own."""
    names = (name for name in ("[MASK]", "<mask>") if name in text)
    return next((name for name in names if tokenizer.token_to_id(name) is not None), None)


def _around_masks(
    marked: list[Token], mask: str, text: str, plain: Callable[[str], list[Token]]
) -> Iterator[Token]:
    """The tokens of a text with masks and with names of other special tokens, which are text: each
    piece between masks is tokenized separately."""
    inside = [number for number, token in enumerate(marked) if token.start is not None]
    first, last = inside[0], inside[-1] + 1
    yield from marked[:first]
    place = 0
    masks = [each for each in marked[first:last] if each.special and each.text == mask]
    for token in [*masks, None]:
        end = len(text) if token is None else token.start
        for each in plain(text[place:end]):
            if each.start is None or each.end is None:
                yield each
            else:
                yield replace(each, place=TextSpan(each.start + place, each.end + place))
        if token is not None and token.end is not None:
            yield token
            place = token.end
    yield from marked[last:]


def _read_without_places(
    tokenizer: Any, text: str, special_tokens: bool, add_special_tokens: bool
) -> list[Token]:
    """With a tokenizer that returns no positions. For those of transformers they are computed: each
    token is decoded, and searched for in the text after the previous one."""
    of_transformers = hasattr(tokenizer, "convert_tokens_to_string")
    named = (
        {"split_special_tokens": not special_tokens, "add_special_tokens": add_special_tokens}
        if of_transformers
        else {}
    )
    ids = tokenizer(text, truncation=False, **named)["input_ids"]
    tokens = bare_tokens(ids, tokenizer)
    if not (of_transformers or add_special_tokens):
        tokens = [token for token in tokens if not token.special]
    places = _found_in(tokenizer, tokens, text) if of_transformers else None
    if places is None:
        return tokens
    return [
        token if place is None else Token(token.id, text[place[0] : place[1]], *place)
        for token, place in zip(tokens, places, strict=True)
    ]


def _found_in(
    tokenizer: Any, tokens: list[Token], text: str
) -> list[tuple[int, int] | None] | None:
    """The position of each token, None for special ones; None if the tokens do not decode to the
    text. All bytes of a character have its position."""
    places: list[tuple[int, int] | None] = []
    waiting: list[int] = []
    end = 0
    for token in tokens:
        if token.special:
            places += [None] * (len(waiting) + 1)
            waiting = []
            continue
        waiting.append(token.id)
        piece = tokenizer.decode(waiting)
        if piece == "" or piece.endswith(BROKEN):
            continue
        start = end
        while not text.startswith(piece, start):  # spaces that the tokens do not contain
            if not text[start : start + 1].isspace():
                return None
            start += 1
        end = start + len(piece)
        places += [(start, end)] * len(waiting)
        waiting = []
    return None if waiting else places


def _token(
    text: str, number: int, piece: str, place: tuple[int, int], *, added: bool, special: bool
) -> Token:
    start, end = place
    if added or (special and start == end):
        return Token(number, piece, special=True)
    if piece == "▁" and text[start:end].strip(" ▁"):
        end = start  # a space that the tokenizer adds before the text
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

        def name(number: int) -> str | None:
            found: list[str | None] = tokenizer.convert_ids_to_tokens([number])
            return found[0]

    return [
        Token(number, _name(tokenizer, name, number, number in special), special=number in special)
        for number in ids
    ]


def _name(tokenizer: Any, name: Callable[[int], str | None], number: int, special: bool) -> str:
    """The name of a token without a position in a text; never empty."""
    piece = name(number) or str(number)
    if special:
        return piece
    text = str(tokenizer.decode([number]))
    if text == "" and hasattr(tokenizer, "_utf_vocab_size") and len(piece) == 1:
        return f"<0x{ord(piece):02X}>"  # a byte, which ByT5 writes as the character of its number
    return text or piece
