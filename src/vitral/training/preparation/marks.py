"""The tokens that begin and end a text for the model that is trained on it.

What begins a text is what the tokenizer puts before it, since that is what the model will find
before every prompt. The end token is that of the model that the run starts from, by default the
tokenizer's. A model that never sees the end of a text never learns to end one.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from vitral.models.generation_settings import END_NAMES, as_ids, read_settings
from vitral.text.as_text import as_text
from vitral.text.tokenizers import BEGIN, special_id


@dataclass(frozen=True)
class Marks:
    """The ids of both, None for one that the tokenizer does not have."""

    begin: int | None
    end: int | None


def marks_of(tokenizer: Tokenizer, kept: Path | None = None) -> Marks:
    """Those of a decoder; `kept` is the folder with the kept files of the model it starts from."""
    with as_text(tokenizer):
        read = tokenizer.encode("a")
    begin = read.ids[0] if read.special_tokens_mask[:1] == [1] else None
    if begin is None and kept is None:
        begin = tokenizer.token_to_id(BEGIN)
    end = None
    if kept is not None and (kept / "config.json").is_file():
        config = json.loads((kept / "config.json").read_text(encoding="utf-8"))
        end = min(as_ids(read_settings(kept, config, tokenizer).get("eos_token_id")), default=None)
    if end is None:
        named = (tokenizer.token_to_id(name) for name in END_NAMES)
        end = next((number for number in named if number is not None), None)
    return Marks(begin, end)


def end_of_passage(tokenizer: Tokenizer) -> int:
    """What ends a passage that an encoder reads. Raises `special_token_missing`."""
    return special_id(tokenizer, "[SEP]", "</s>")
