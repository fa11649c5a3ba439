"""The trace that a command works on: of a text, or one saved before."""

from pathlib import Path
from typing import TYPE_CHECKING

from vitral.cli.source_text import source_text
from vitral.errors import VitralError

if TYPE_CHECKING:
    from vitral.tracing import Trace


def opened_or_traced(
    text: str | None, model: str | None, file: str | None, saved: Path | None
) -> "Trace":
    """The trace that the options name: computed now, or read from a file.

    A recurrent translator only looks at its text while it answers: its trace is that of its
    answer.

    Raises VitralError `options_clash` if they name both.
    """
    if saved is None:
        source = source_text(text, file)
        import vitral
        from vitral.models.catalog import BUNDLED

        opened = vitral.load(model or BUNDLED[0])
        traced: Trace = opened.trace(source)
        if traced.attentions and traced.first_part == "cross":
            return opened.trace_generation(source)
        return traced
    for option, value in (("TEXT", text), ("--file", file), ("--model", model)):
        if value is not None:
            raise VitralError("options_clash", first="--open", second=option)
    import vitral

    return vitral.open_trace(saved)
