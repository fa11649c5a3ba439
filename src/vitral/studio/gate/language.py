"""The reader's language, as the browser states it in Accept-Language."""

from vitral.messages import LANGUAGES


def accepted_language(header: str | None, default: str = "en") -> str:
    """The language of ours that `header` prefers: "es-MX,es;q=0.9,en;q=0.5" gives "es".

    `default` if the header names none of ours, or is empty.
    """
    best, best_quality = default, 0.0
    for entry in (header or "")[:1000].split(","):
        tag, _, parameters = entry.partition(";")
        code = tag.strip().lower().partition("-")[0]
        quality = _quality(parameters)
        if code in LANGUAGES and quality > best_quality:
            best, best_quality = code, quality
    return best


def _quality(parameters: str) -> float:
    """The q of one entry; 1 by default, 0 if it is invalid."""
    name, separator, value = parameters.strip().partition("=")
    if not separator or name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
