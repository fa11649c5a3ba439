"""The tokenizer of a run that does not train one.

A run that starts from a model keeps the model's tokens, unless its recipe replaces them
(`tokenizer.transfer`). A recipe can name a folder with a tokenizer.
"""

from pathlib import Path

from tokenizers import Tokenizer

from vitral.errors import VitralError
from vitral.models.load import open_tokenizer
from vitral.text.as_text import clear
from vitral.training.recipes.recipe import Recipe


def given_tokenizer(recipe: Recipe, start: Path | None) -> Tokenizer | None:
    """The tokenizer of the model in `start` or of the recipe's folder; None if one is learned.

    Raises VitralError `transfer_without_start` for a transfer without a model to start from,
    `start_other_words` for another tokenizer without a transfer, and what `tokenizer_in` raises.
    """
    choice = recipe.tokenizer
    if choice.transfer is not None and start is None:
        raise VitralError("transfer_without_start", recipe=recipe.name)
    given = None if choice.folder is None else tokenizer_in(Path(choice.folder).expanduser())
    if start is None or choice.transfer is not None:
        return given
    own = tokenizer_in(start)
    if given is not None and given.get_vocab() != own.get_vocab():
        raise VitralError("start_other_words", folder=start, tokenizer=choice.folder)
    return own


def tokenizer_in(folder: Path) -> Tokenizer:
    """The tokenizer in a folder. Raises `folder_without_tokens`, and what `open_tokenizer`
    raises."""
    found = open_tokenizer(folder)
    found = getattr(found, "backend_tokenizer", found)  # transformers' keep theirs inside
    if not isinstance(found, Tokenizer):
        raise VitralError("folder_without_tokens", folder=folder)
    return clear(found)
