"""Cleaning text: the same character for the same thing and, in prose, one paragraph per line.

*Plain* cleaning composes accents (NFC) and makes every line break "\\n"; everything else is kept,
as code, verse and benchmarks need it. *Prose* is for Spanish books.

Books come with their edition's habits: hard-wrapped lines, hyphens for dialogue dashes,
emphasis marked by underscores, notes in brackets. A model would spend its few parameters on
them. Cleaning removes the habits and leaves the words, their accents and their punctuation.
"""

import re
import unicodedata
from typing import Literal

_REPLACEMENTS = str.maketrans(
    {
        "\u00a0": " ",
        "\u00ad": None,
        "\ufeff": None,
        "…": "...",
        "–": "—",
        "‘": "'",
        "’": "'",
        "“": "«",
        "”": "»",
        "„": "«",
        "_": None,
        "*": None,
    }
)
_NOTE = re.compile(r"\s?\[[^\]\n]{0,80}\]")
# A hyphen that touches only one word opens or closes an aside or a speech: it is a dash.
_DASH_BEFORE = re.compile(r"(?<![^\s(«¡¿])-{1,2}(?=[^\s-])")
_DASH_AFTER = re.compile(r"(?<=[^\s-])-{1,2}(?=[\s.,;:!?)»]|$)")
_DASH_ALONE = re.compile(r"(?<!\S)-{1,2}(?=\s)")
_HEADING_DASHES = re.compile(r"^[-—\s]+([IVXLCDM]+)[-—.\s]*$")
_SPACES = re.compile(r"[ \t]+")
_SPEECH_SPACE = re.compile(r"^—\s+")
_STOPS_SPACE = re.compile(r" (?=\.\.\.|[,;:.](?:\s|$))")


def clean(text: str, cleaning: Literal["prose", "plain"]) -> str:
    """`text` cleaned, its paragraphs or lines separated by "\\n".

    >>> clean("uno\\r\\ndos\\n\\n-tres", "plain")
    'uno\\ndos\\n\\n-tres'
    >>> clean("uno\\r\\ndos\\n\\n-tres", "prose")
    'uno dos\\n—tres'
    """
    return "\n".join(paragraphs(text)) if cleaning == "prose" else _composed(text)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")


def paragraphs(text: str) -> list[str]:
    """The paragraphs of `text`, cleaned. Blank lines part them; lines in one are joined.

    >>> paragraphs("-¿Ve usted? -dijo\\nNina.\\n\\n- II -")
    ['—¿Ve usted? —dijo Nina.', 'II']
    """
    blocks = re.split(r"\n\s*\n", _composed(text))
    return [cleaned for block in blocks if (cleaned := _clean_paragraph(block))]


def _clean_paragraph(block: str) -> str:
    line = _SPACES.sub(" ", block.replace("\n", " ").translate(_REPLACEMENTS)).strip()
    line = _NOTE.sub("", line)
    line = _HEADING_DASHES.sub(r"\1", line)
    line = _DASH_BEFORE.sub("—", line)
    line = _DASH_AFTER.sub("—", line)
    line = _DASH_ALONE.sub("—", line)
    line = _SPEECH_SPACE.sub("—", line)
    line = _STOPS_SPACE.sub("", line)
    return _SPACES.sub(" ", line).strip()
