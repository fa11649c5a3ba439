"""What the program says: JSON catalogues, a pair for each area.

`assets/messages/<area>.es.json` and `<area>.en.json` hold the same keys (a test compares them):
one area for each room of Studio, one for errors, one for the command line, and so on. Joined they
are one catalogue a language, in which no key may stand twice. The front end reads the same files,
so no sentence is written twice.
"""

import json
from functools import cache
from importlib.resources import files

from vitral.messages.language import preferred_language
from vitral.messages.written_numbers import written


@cache
def catalogue(language: str) -> dict[str, str]:
    """All messages of one language, by key. A key that two areas hold is a mistake of ours."""
    joined: dict[str, str] = {}
    for path in (files("vitral") / "assets" / "messages").iterdir():
        if path.name.endswith(f".{language}.json"):
            entries: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
            assert joined.keys().isdisjoint(entries), f"{path.name} repeats a key"
            joined |= entries
    return joined


def message(key: str, language: str | None = None, **values: object) -> str:
    """The message `key` with `{placeholders}` filled from `values`; numbers among them are written
    as the language writes them, so what is a name (a port, a year) is given as text.

    Raises KeyError for a key or a value that is missing: both are mistakes of ours.
    """
    language = language or preferred_language()
    filled = {name: written(value, language) for name, value in values.items()}
    return catalogue(language)[key].format(**filled)
