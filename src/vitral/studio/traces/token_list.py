"""A trace's tokens: a list for a short text, a block for a long one.

As JSON, 131,072 tokens are 9 MB and as many objects; as a block they are three numbers each, and
the page takes their texts from the text itself.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel

from vitral.studio.limits import Limits
from vitral.studio.traces import schemas
from vitral.studio.traces.blocks import encode_block

if TYPE_CHECKING:
    from vitral.tracing.token import Token
    from vitral.tracing.trace import Trace

NOWHERE = -1
"""The start and end of a token that stands for no text."""


def listed(tokens: "Sequence[Token]", limits: Limits) -> list[schemas.Token]:
    """The tokens as a trace's description lists them; none where there are too many."""
    if len(tokens) > limits.listed_tokens:
        return []
    return [schemas.Token(**token.entries()) for token in tokens]


class TokensHeader(BaseModel):
    """`special`: positions of the special tokens; `texts`: by position, what the tokens are called
    whose text is not the text's own slice."""

    special: list[int]
    texts: dict[int, str]


def tokens_block(trace: "Trace") -> bytes:
    """int32 [3, tokens]: ids, and where each starts and ends in the text (−1: nowhere).

    The header is a `TokensHeader`.
    """
    tokens, text = trace.tokens, trace.text or ""
    columns = np.empty((3, len(tokens)), dtype=np.int32)
    special: list[int] = []
    texts: dict[int, str] = {}
    for position, token in enumerate(tokens):
        start = NOWHERE if token.start is None else token.start
        end = NOWHERE if token.end is None else token.end
        columns[:, position] = token.id, start, end
        if token.special:
            special.append(position)
        if start == NOWHERE or token.text != text[start:end]:
            texts[position] = token.text
    header = TokensHeader(special=special, texts=texts)
    return encode_block(columns, aggregated=False, **header.model_dump())
