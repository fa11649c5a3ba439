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
    base: str | None = None,
) -> "Trace":
    """The trace that the options name: computed now, or read from a file. `base` is that of an
    adapter.

    A recurrent translator only looks at its text while it answers: its trace is that of its
    answer.

    Raises VitralError `options_clash` if they name both.
    """
    if saved is None:
        opened, source = model_and_source(text, model, file, base)
        traced: Trace = opened.trace(source)
        if traced.attentions and traced.first_part == "cross":
            return opened.trace_generation(source)
        return traced
    for option, value in (("TEXT", text), ("--file", file), ("--model", model), ("--base", base)):
        if value is not None:
            raise VitralError("options_clash", first="--open", second=option)
    import vitral

    return vitral.open_trace(saved)


def model_and_source(
    text: str | None, model: str | None, file: str | None, base: str | None = None
) -> "tuple[Model, Any]":
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

    opened = vitral.load(name, base=base)
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
