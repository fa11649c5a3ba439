"""Control characters as signs, so that no text drives the terminal that shows it."""

_SIGNS = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"}
_SIGNS |= {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)
"""Control characters, and what stands for each: Unicode's pictures of them, such as "␛"."""


def visible(text: str) -> str:
    """The text with signs for its control characters; ends of lines and tabs stay."""
    return text.translate(_SIGNS)
