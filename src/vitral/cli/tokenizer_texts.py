"""The texts that the tokenizer commands read, and the tokenizers that they compare."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from tokenizers import Tokenizer

from vitral.data.corpus import Cleaning, read_documents
from vitral.data.split import split_documents
from vitral.errors import VitralError
from vitral.models.load import locate, open_tokenizer
from vitral.text.as_text import clear
from vitral.text.tokenizer_folder import read_tokenizer
from vitral.text.tokenizers import KINDS, train_tokenizer

MOST_TRAINING, MOST_HELD_OUT = 20_000_000, 1_000_000
"""How many characters a comparison trains and measures on, at most: the first of each."""


def check_sources(sources: Sequence[str], cleaning: str) -> Cleaning:
    """Raises VitralError `tokenizer_sources_missing`, `cleaning_unknown`."""
    if not sources:
        raise VitralError("tokenizer_sources_missing")
    if cleaning not in ("prose", "plain"):
        raise VitralError("cleaning_unknown", cleaning=cleaning)
    return cast(Cleaning, cleaning)


def both_parts(
    sources: Sequence[str], held_out: float, seed: int, cleaning: Cleaning, text_field: str
) -> tuple[list[str], list[str]]:
    """Training and held-out texts, as many as a comparison reads."""
    training: list[str] = []
    apart: list[str] = []
    room = {False: MOST_TRAINING, True: MOST_HELD_OUT}
    documents = read_documents(sources, text_field=text_field, cleaning=cleaning)
    for document, is_held_out in split_documents(documents, held_out, seed=seed, cleaning=cleaning):
        text = document.text[: room[is_held_out]]
        if text:
            (apart if is_held_out else training).append(text)
            room[is_held_out] -= len(text)
    return training, apart


def tokenizer_called(
    name: str, training: Sequence[str], size: int | None, default: int
) -> Tokenizer:
    """One of the kinds, trained here; or that of a folder, a file or a model.

    Without a `size`, the vocabulary has `default` tokens, or as many as the text allows. Raises
    VitralError: what `train_tokenizer` and `locate` raise, `tokenizer_unusable`.
    """
    if name in KINDS:
        try:
            return train_tokenizer(training, name, size or default)
        except VitralError as error:
            if error.key != "vocabulary_too_large" or size is not None:
                raise
            return train_tokenizer(training, name, int(str(error.values["largest"])))
    if name.endswith(".json") and Path(name).is_file():
        return read_tokenizer(Path(name))
    try:
        _, folder = locate(name)
    except VitralError as error:
        if error.key != "model_unknown":
            raise
        raise VitralError("tokenizer_unknown", name=name, known=", ".join(KINDS)) from error
    found = open_tokenizer(folder)
    found = getattr(found, "backend_tokenizer", found)
    if not isinstance(found, Tokenizer):
        raise VitralError("tokenizer_unusable", name=name)
    return clear(found)
