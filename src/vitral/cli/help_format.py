"""How help is printed: cyclopts' panels, with every word in the reader's language.

Cyclopts writes choices ("[choices: …]"), required arguments and placeholders of values ("STR",
"PATH") in English. Here these words come from the catalogues like all others.
"""

import re
from typing import Any

from attrs import evolve
from cyclopts.help import DefaultFormatter, HelpEntry, HelpPanel
from cyclopts.help.inline_text import InlineText
from rich.console import Console, ConsoleOptions
from rich.text import Text

from vitral.messages import catalogue, message, preferred_language

_WORD = re.compile(r"[A-Z]+")


class HelpFormatter(DefaultFormatter):
    """Cyclopts' help in the reader's language; the usage line is a message of ours."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        super().__call__(
            console, options, panel.copy(entries=[_translated(each) for each in panel.entries])
        )

    def render_usage(self, console: Console, options: ConsoleOptions, usage: Any) -> None:
        if usage:
            console.print(Text(str(usage)))


def _translated(entry: HelpEntry) -> HelpEntry:
    """The entry with what cyclopts would add in English already in its description."""
    notes = []
    if entry.choices:
        notes.append(message("cli.help.choices", choices=", ".join(entry.choices)))
    if entry.required:
        notes.append(message("cli.help.required"))
    return evolve(
        entry,
        metavar=_placeholder(entry.metavar),
        positional_label=_placeholder(entry.positional_label),
        description=_with_notes(entry.description, notes) if notes else entry.description,
        choices=(),
        required=False,
    )


def _with_notes(description: Any, notes: list[str]) -> InlineText:
    text = InlineText(description.primary_renderable)
    text.texts = [*description.texts, *(Text(note, "cyclopts.choices") for note in notes)]
    return text


def _placeholder(name: str | None) -> str | None:
    """The placeholder of a value, such as "STR...", with each of its words translated.

    A placeholder without a message stays as cyclopts made it.
    """
    if name is None:
        return None
    known = catalogue(preferred_language())
    return _WORD.sub(lambda word: known.get(f"cli.help.value.{word[0].lower()}", word[0]), name)
