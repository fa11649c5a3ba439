"""What the program says, in each language: one JSON catalogue a language.

`assets/messages/es.json` and `en.json` hold the same keys (a test compares them). The front
end reads the same two files, so no sentence is written twice.
"""

import json
import os
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "es")


@cache
def catalogue(language: str) -> dict[str, str]:
    """All messages of one language, by key."""
    path = files("vitral") / "assets" / "messages" / f"{language}.json"
    entries: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return entries


def preferred_language() -> str:
    """That of VITRAL_LANGUAGE, then of the locale's variables, else English."""
    for variable in ("VITRAL_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        code = os.environ.get(variable, "")[:2].lower()
        if code in LANGUAGES:
            return code
    return "en"


def message(key: str, language: str | None = None, **values: object) -> str:
    """The message `key` with `{placeholders}` filled from `values`.

    Raises KeyError for a key or a value that is missing: both are mistakes of ours.
    """
    return catalogue(language or preferred_language())[key].format(**values)
