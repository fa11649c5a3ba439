"""A token, and its place in the text or picture that it is a part of."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from vitral.surfaces.place import Place, TextSpan, place_entries, place_of

VIRTUAL = -1
"""The id of a token that is none of the vocabulary's."""

_ENTRIES = {"id", "text", "start", "end", "special", "patch", "segment"}


@dataclass(frozen=True, init=False)
class Token:
    """One entry of the sequence that the model reads.

    `place` says where it lies: a span of a text, a patch of a picture. In a text, `text` is the
    slice [start, end) of the source, counted in characters, so that "niño" is never shown as
    "niÃ±o"; several tokens may share a character that was split into bytes. A patch is called
    "row,column", counted from 0. Tokens without a place ("[CLS]", a bare id, a register of an
    image model) are called by their name. `special` marks special tokens of the vocabulary or the
    model, also if the text itself contains them. `segment` says which of two texts that were read
    together a token belongs to, 0 or 1; None where there is one text.
    """

    id: int
    text: str
    place: Place
    special: bool
    segment: int | None

    def __init__(
        self,
        id: int,
        text: str,
        start: int | None = None,
        end: int | None = None,
        special: bool = False,
        *,
        place: Place = None,
        segment: int | None = None,
    ) -> None:
        """`start` and `end` are a span of text; `place` is any other place."""
        if start is not None and end is not None:
            place = TextSpan(start, end)
        values = {"id": id, "text": text, "place": place, "special": special, "segment": segment}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @staticmethod
    def of_virtual(number: int) -> "Token":
        """A token that the model adds to those it was given (`recording.virtual_tokens`)."""
        return Token(VIRTUAL, f"[virtual-{number}]", special=True)

    @property
    def virtual(self) -> bool:
        """Whether the model added it: there is no such entry in the vocabulary."""
        return self.id == VIRTUAL

    @property
    def start(self) -> int | None:
        """Where its span of text begins; None for a token that is not part of a text."""
        return self.place.start if isinstance(self.place, TextSpan) else None

    @property
    def end(self) -> int | None:
        """Where its span of text ends, that character not included."""
        return self.place.end if isinstance(self.place, TextSpan) else None

    def entries(self) -> dict[str, Any]:
        """The token as files and pages store it."""
        place = place_entries(self.place)
        segment = {} if self.segment is None else {"segment": self.segment}
        return {"id": self.id, "text": self.text, **place, "special": self.special, **segment}

    @staticmethod
    def read(entries: Mapping[str, Any]) -> "Token":
        """The token that `entries` wrote. Raises KeyError, TypeError, ValueError for others."""
        if not set(entries) <= _ENTRIES:
            raise ValueError(f"token: {sorted(entries)}")
        number, text, special = entries["id"], entries["text"], bool(entries["special"])
        segment = entries.get("segment")
        if segment is not None and type(segment) is not int:
            raise ValueError(f"segment: {segment!r}")
        return Token(number, text, special=special, place=place_of(entries), segment=segment)


@lru_cache(maxsize=32)
def numbered(count: int) -> list[Token]:
    """Tokens of which nothing is known but their number: they are called by their places."""
    return [Token(place, str(place)) for place in range(count)]
