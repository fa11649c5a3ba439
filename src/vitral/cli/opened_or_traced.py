"""The trace that a command works on: of a text or a picture, or one saved before."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitral.cli.source_text import source_text
from vitral.errors import VitralError

if TYPE_CHECKING:
    from vitral.model import Model
    from vitral.tracing import Trace


def opened_or_traced(
    text: str | None,
    model: str | None,
    file: str | None,
    saved: Path | None,
    *,
    special_tokens: bool = False,
    no_added_tokens: bool = False,
) -> "Trace":
    """The trace that the options name: computed now, or read from a file.

    A recurrent translator attends to its text only while it answers: its trace is that of its
    answer. `special_tokens` and `no_added_tokens` are the options of these names, of texts alone.

    Raises VitralError `options_clash` if they name both, `text_only` for a picture.
    """
    switched = {"--special-tokens": special_tokens, "--no-added-tokens": no_added_tokens}
    of_text = [option for option, is_on in switched.items() if is_on]
    if saved is None:
        opened, source = model_and_source(text, model, file)
        if opened.reads == "picture":
            if of_text:
                raise VitralError("text_only", option=of_text[0], model=opened.name)
            return opened.trace(source)
        traced: Trace = opened.trace(
            source, special_tokens=special_tokens, add_special_tokens=not no_added_tokens
        )
        if traced.attentions and traced.first_part == "cross":
            if no_added_tokens:
                raise VitralError("answer_needs_added_tokens", model=opened.name)
            return opened.trace_generation(source, special_tokens=special_tokens)
        return traced
    given = {"TEXT": text is not None, "--file": file is not None, "--model": model is not None}
    for option, is_given in (given | switched).items():
        if is_given:
            raise VitralError("options_clash", first="--open", second=option)
    import vitral

    return vitral.open_trace(saved)


def model_and_source(text: str | None, model: str | None, file: str | None) -> "tuple[Model, Any]":
    """The model, and what it reads: a text, or the picture that the argument or --file names.

    The bundled models read text, so that a wrong text is refused before one of them is opened.
    Raises what `source_text` and `vitral.load` raise, and `picture_to_text_model`.
    """
    from vitral.models.catalog import BUNDLED, bundled

    name = model or BUNDLED[0]
    if name in bundled() or (text is None) == (file is None):
        _refuse_picture(text or file, name)
        source = source_text(text, file)
    import vitral

    opened = vitral.load(name)
    if opened.reads == "picture":
        return opened, sys.stdin.buffer.read() if file == "-" else Path(text or file or "")
    _refuse_picture(text or file, opened.name)
    if name not in bundled():
        source = source_text(text, file)
    return opened, source


def _refuse_picture(named: str | None, model: str) -> None:
    """Raises VitralError `picture_to_text_model` where a picture's file was named as the text."""
    from vitral.vision.picture_file import ENDINGS

    if named is None or not named.lower().endswith(ENDINGS):
        return
    try:
        is_file = Path(named).is_file()
    except (OSError, ValueError):
        return
    if is_file:
        raise VitralError("picture_to_text_model", model=model)
