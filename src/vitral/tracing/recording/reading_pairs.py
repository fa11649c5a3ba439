"""Two texts that are read as one: a question and its passage, two sentences.

The tokenizer's post-processor says what stands between them ("[CLS] A [SEP] B [SEP]") and which
token type each token has. Every token knows its segment, 0 or 1; the text of the trace is both
texts, a line each, and places are counted in it.

    trace = model.trace("¿Dónde está el gato?", "El gato está en la calle.")
    trace.tokens[1].segment, trace.tokens[-1].segment  # 0, 1
"""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.models.description import number
from vitral.models.wrapped import input_names
from vitral.surfaces.place import TextSpan
from vitral.text.as_text import as_text
from vitral.tracing.recording.reading import bare_tokens, read_text
from vitral.tracing.token import Token

BETWEEN = "\n"
"""What stands between the two texts in the text of the trace."""


def read_pair(
    tokenizer: Any, first: str, second: str, *, special_tokens: bool = False
) -> list[Token]:
    """The tokens of both texts, with their segments, as the tokenizer puts them together.

    Raises VitralError `text_empty`, `text_not_unicode`, and `pair_unreadable` for a tokenizer
    that puts no two texts together.
    """
    alone = [read_text(tokenizer, text, special_tokens=special_tokens) for text in (first, second)]
    inside = [[token for token in tokens if token.start is not None] for tokens in alone]
    ids, types, sources = _put_together(tokenizer, first, second)
    if [source for source in sources if source is not None] != [0] * len(inside[0]) + [1] * len(
        inside[1]
    ):
        raise VitralError("pair_unreadable")  # names of special tokens that are read otherwise
    told = len(set(types)) > 1
    offsets, waiting = (0, len(first) + len(BETWEEN)), [iter(tokens) for tokens in inside]
    tokens, segment = [], 0
    for token, kind, source in zip(bare_tokens(ids, tokenizer), types, sources, strict=True):
        segment = kind if told else segment if source is None else source
        if source is not None:
            token = next(waiting[source])
            span = TextSpan(
                (token.start or 0) + offsets[source], (token.end or 0) + offsets[source]
            )
            token = replace(token, place=span)
        tokens.append(replace(token, special=token.special or source is None, segment=segment))
    return tokens


def _put_together(
    tokenizer: Any, first: str, second: str
) -> tuple[list[int], list[int], list[int | None]]:
    """Ids, token types, and which text each token is of (None: neither's)."""
    fast = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not hasattr(fast, "post_process"):
        given = tokenizer(first, second, return_special_tokens_mask=True)
        types = given.get("token_type_ids") or [0] * len(given["input_ids"])
        length = len(tokenizer(first, add_special_tokens=False)["input_ids"])
        return given["input_ids"], types, _sources(given["special_tokens_mask"], length)
    encoded = []
    for text in (first, second):
        masked = any(
            name in text and fast.token_to_id(name) is not None for name in ("[MASK]", "<mask>")
        )
        with as_text(fast, special_tokens=masked):
            encoded.append(fast.encode(text, add_special_tokens=False))
    try:
        together = fast.post_process(*encoded, add_special_tokens=True)
    except Exception as error:  # a template of one text only
        raise VitralError("pair_unreadable") from error
    sources = _sources(together.special_tokens_mask, len(encoded[0].ids))
    return together.ids, together.type_ids, sources


def _sources(special: Sequence[int], length: int) -> list[int | None]:
    """Which text each token is of, the first one having `length`; None for what was put in."""
    own = itertools.count()
    return [None if each else int(next(own) >= length) for each in special]


def with_types(tokens: Sequence[Token], types: Sequence[int]) -> list[Token]:
    """Tokens whose types were given, as segments, where there is more than one."""
    if len(set(types)) < 2 or len(types) != len(tokens):
        return list(tokens)
    return [replace(token, segment=kind) for token, kind in zip(tokens, types, strict=True)]


def token_types(module: nn.Module, tokens: Sequence[Token]) -> dict[str, Tensor]:
    """The tokens' segments as a model takes them, by name: nothing where they have none, or
    where the model knows no such types (RoBERTa has one)."""
    read = [token for token in tokens if not token.virtual]
    segments = [token.segment for token in read if token.segment is not None]
    if not segments or len(segments) != len(read):
        return {}
    most = number(module, "type_vocab_size", "num_segments")
    names = input_names(module)
    known = "token_type_ids" in names or "segments_BT" in names
    if not known or most is None or max(segments) >= most:
        return {}
    return {"token_type_ids": torch.tensor(segments)}
