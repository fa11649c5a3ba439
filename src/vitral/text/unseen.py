"""Characters that leave nothing on a page: joiners, variation selectors, marks of direction.

A token may be one of them alone (a family emoji is people and joiners), and a label without ink
would look like no token at all. So such a token is shown by the numbers of its characters.

    >>> code_points("\\u200d\\ufe0f"), code_points("a\\u200d"), code_points(" ")
    ('U+200D U+FE0F', None, None)
"""

import unicodedata

_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""Letters and marks by their category that have no shape."""


def is_unseen(character: str) -> bool:
    """Whether the character has no shape of its own. Spaces and control characters, for which
    there are signs, are others."""
    selector = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    return selector or character in _FILLERS or unicodedata.category(character) == "Cf"


def code_points(text: str) -> str | None:
    """The text's characters by number, "U+200D", if none of them can be seen; else None."""
    if not text or not all(map(is_unseen, text)):
        return None
    return " ".join(f"U+{ord(character):04X}" for character in text)
