"""Tokens that stand for no text: where it begins and ends, what is unknown, what is hidden."""

from tokenizers import Tokenizer

from vitral.errors import VitralError

BEGIN = "<s>"
"""Stands before every text, and ends it; of all tokenizers but WordPiece."""

UNKNOWN = "<unk>"
"""A character or word that was not in the text that the tokenizer learned from."""

WORDPIECE_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
"""BERT's: filling, unknown, before a text, after it, hidden."""


def num_ids(tokenizer: Tokenizer) -> int:
    """How many ids a model needs that reads what `tokenizer` gives: one more than the largest,
    which may be more than there are tokens."""
    return int(max(tokenizer.get_vocab().values(), default=-1)) + 1


def special_id(tokenizer: Tokenizer, *names: str) -> int:
    """The id of a special token, by the first of its names that the tokenizer knows.

    Raises VitralError `special_token_missing` if it knows none of them.
    """
    found = (tokenizer.token_to_id(name) for name in names)
    number: int | None = next((each for each in found if each is not None), None)
    if number is None:
        raise VitralError("special_token_missing", names=", ".join(names))
    return number
