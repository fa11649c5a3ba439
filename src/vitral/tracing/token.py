"""A token, and the place in the text that it stands for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Token:
    """One entry of the sequence that the model reads.

    `text` is the slice [start, end) of the source text, counted in characters, so that "niño"
    is never shown as "niÃ±o"; several tokens may share a character that was split into bytes.
    Tokens that stand for no text ("[CLS]", a bare id, a patch of an image) have no place and
    carry their name. `special` marks those with a meaning of their own in the vocabulary,
    wherever they come from.
    """

    id: int
    text: str
    start: int | None = None
    end: int | None = None
    special: bool = False
