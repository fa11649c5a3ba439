"""The header of a trace's file, each entry with its type and its range.

It is read from JSON strictly: a number is no text, `true` is no number, NaN is none either, and
half a surrogate pair is no character. What an older Vitral did not write has a default.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

MOST_TOKENS = 2**31 - 1
LARGEST = 1e15
"""Of any number in a trace: its square is still one."""

Count = Annotated[int, Field(ge=0, le=MOST_TOKENS)]
Address = Annotated[
    str,
    Field(pattern=r"^(?:[^.\x00-\x1f]+\.)*layers\.\d{1,6}\.(?:cross_)?attention(?:_\d{1,6})?$"),
]
Named = Annotated[str, Field(max_length=1000)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class PatchEntry(_Entry):
    """The patch of a picture that a token is."""

    row: Count
    column: Count
    left: Count
    top: Count
    right: Count
    bottom: Count


class TokenEntry(_Entry):
    """One token."""

    id: Annotated[int, Field(ge=-(2**31), le=MOST_TOKENS)]
    text: str
    start: Count | None
    end: Count | None
    special: bool
    segment: Annotated[int, Field(ge=0, le=MOST_TOKENS)] | None = None
    patch: PatchEntry | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.start is None) != (self.end is None):
            raise ValueError("start, end")
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError("start > end")
        return self


class AttentionEntry(_Entry):
    """One attention: its numbers, and the names of the tensors that its rules are made of."""

    scaling: Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
    uniform_when_blind: bool
    visibility: Named
    bias: Named | None
    softcap: Annotated[float, Field(gt=0, le=LARGEST)] | None = None
    given: Literal["eager", "given", "told"] | None = None
    edited: Literal[True] | None = None
    rows: Literal["whole", "less"] | None = None


class Header(_Entry):
    """What the tensors mean; see `save_trace`."""

    model_config = ConfigDict(extra="ignore")

    version: Annotated[int, Field(ge=1)]
    model: str
    text: str | None
    tokens: Annotated[list[TokenEntry], Field(min_length=1, max_length=MOST_TOKENS)]
    decoder_tokens: Annotated[list[TokenEntry], Field(max_length=MOST_TOKENS)]
    aliases: dict[Named, Named]
    attentions: dict[Address, AttentionEntry]
    edits: list[str] = []
    apart: list[Named] = []
    keys: dict[Named, list[TokenEntry]] = {}
    surface: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _within_the_text(self) -> Self:
        """Tokens lie in the text, where there is one. A decoder's text is not kept."""
        if self.text is not None:
            last = max((token.end or 0 for token in self.tokens), default=0)
            if last > len(self.text):
                raise ValueError(f"token.end: {last}")
        return self


_VERSION = TypeAdapter(dict[str, Any])


def version_of(content: str) -> int:
    """The version that a header says; ValueError where it says none."""
    version = _VERSION.validate_json(content).get("version")
    if type(version) is not int or version < 1:
        raise ValueError(f"version: {version!r}"[:60])
    return version


def read_header(content: str) -> Header:
    """The header; ValueError, in one line that names the entry, where something is not as it
    should be."""
    try:
        return Header.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place[:80]}: {first['msg']}" if place else first["msg"]) from None
