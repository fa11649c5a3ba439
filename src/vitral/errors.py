"""The one error that users see.

A mistake of the user's raises `VitralError` with the key of a message and the values that
the message names. The text itself stands in the message catalogues (`assets/messages/`), so
that the terminal and the browser say the same thing, each in its reader's language:

    raise VitralError("text_empty")
    raise VitralError("text_too_long", length=900, context=256, model="vitral-es-gpt")
"""

from operator import index
from typing import Any

from vitral.messages import message


class VitralError(Exception):
    """Wrong input: what was wrong, where, and what to do, in one line.

    `key` names the message `error.<key>` of the catalogues; `values` fill it in.
    Command-line programs that end with it exit with code 2.
    """

    exit_code = 2

    def __init__(self, key: str, **values: object) -> None:
        self.key = key
        self.values = values
        super().__init__(self.text("en"))

    def text(self, language: str | None = None) -> str:
        """The message in `language` ("en", "es"), by default that of the user's environment."""
        return message(f"error.{self.key}", language, **self.values)

    def lines(self, language: str | None = None) -> list[str]:
        """What a terminal prints: the message as one line; a list of mistakes has more."""
        return [" ".join(self.text(language).split())]


def is_whole(value: Any) -> bool:
    """Whether a value can count or index something: an int of Python's or of a library's."""
    try:
        index(value)
    except TypeError:
        return False
    return True


def check_range(option: str, value: Any, least: float, most: float) -> None:
    """Raises VitralError `option_range` for a number that is not between the two: NaN, too."""
    if not hasattr(value, "__float__") or not least <= value <= most:
        raise VitralError("option_range", option=option, value=value, least=least, most=most)


def check_whole(option: str, value: Any, least: int, most: int) -> None:
    """Raises VitralError `option_whole` for what is no whole number between the two."""
    if not is_whole(value) or not least <= value <= most:
        raise VitralError("option_whole", option=option, value=value, least=least, most=most)
