"""A text is read as a text: whole, alone, and with nothing in it taken for a mark.

A `tokenizer.json` may have been saved with *truncation* (every text ends after 384 tokens, say)
and with *padding*: both belong to the batches of another program. And the library takes "<s>" in
a text for the mark of that name, so that a page of HTML would begin anew in its middle. All
texts are therefore encoded inside

    with as_text(tokenizer):
        tokenizer.encode(text)

which leaves the tokenizer as it was found. Names of special tokens are the tokens only where
that is asked for (`special_tokens`).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tokenizers import Tokenizer

_CHANGING = threading.RLock()
"""Held while a tokenizer is another than its owner left it."""


@contextmanager
def as_text(tokenizer: Tokenizer, *, special_tokens: bool = False) -> Iterator[None]:
    """Inside, `tokenizer` cuts nothing off, fills nothing up, and takes the names of special
    tokens in a text for what they say, unless `special_tokens`."""
    _CHANGING.acquire()
    truncation, padding = tokenizer.truncation, tokenizer.padding
    split = tokenizer.encode_special_tokens
    if truncation is None and padding is None and split is not special_tokens:
        _CHANGING.release()  # nothing to change, and nothing to put back
        yield
        return
    try:
        clear(tokenizer)
        tokenizer.encode_special_tokens = not special_tokens
        yield
    finally:
        if truncation is not None:
            tokenizer.enable_truncation(**truncation)
        if padding is not None:
            tokenizer.enable_padding(**padding)
        tokenizer.encode_special_tokens = split
        _CHANGING.release()


def clear(tokenizer: Tokenizer) -> Tokenizer:
    """Have `tokenizer` read every text whole, alone, and as a text, from here on."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return tokenizer
