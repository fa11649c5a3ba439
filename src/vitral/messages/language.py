"""The languages that Vitral speaks, and which of them its reader's environment asks for."""

import os

LANGUAGES = ("en", "es")


def preferred_language() -> str:
    """That of VITRAL_LANGUAGE, then of the locale's variables, else English."""
    for variable in ("VITRAL_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        code = os.environ.get(variable, "")[:2].lower()
        if code in LANGUAGES:
            return code
    return "en"
