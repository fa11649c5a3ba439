"""The questions about a trace: one Pydantic model each.

The page asks Studio over HTTP, where a question's fields are the parameters of an address, and a
notebook's picture asks Python with the same fields as JSON. A range is written "3:8" in an
address and [3, 8] in JSON; several positions "0,4,5" and [0, 4, 5]. `answers.py` answers.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema

from vitral.errors import VitralError

MOST_KEYS = 128

_RANGE = re.compile(r"([0-9]{1,9}):([0-9]{1,9})")
_KEYS = re.compile(r"[0-9]{1,9}(,[0-9]{1,9})*")


def _range(value: Any, info: ValidationInfo) -> Any:
    """ "3:8" as (3, 8). Raises VitralError("view_range_wrong")."""
    if value is None:
        return None
    text = _joined(value, ":")
    match = _RANGE.fullmatch(text)
    if match is None:
        raise VitralError("view_range_wrong", name=str(info.field_name), value=text[:40])
    return int(match[1]), int(match[2])


def _keys(value: Any) -> list[int]:
    """ "0,4,5" as [0, 4, 5]. Raises VitralError("keys_unreadable")."""
    text = _joined(value, ",")
    if not _KEYS.fullmatch(text) or text.count(",") >= MOST_KEYS:
        raise VitralError("keys_unreadable", value=text[:40], limit=MOST_KEYS)
    return [int(position) for position in text.split(",")]


def _joined(value: Any, separator: str) -> str:
    """A list as an address writes it; a parameter of an address is a list of one text."""
    return separator.join(map(str, value)) if isinstance(value, list | tuple) else str(value)


Range = Annotated[
    tuple[int, int] | None, BeforeValidator(_range), WithJsonSchema({"type": "string"})
]
Keys = Annotated[list[int], BeforeValidator(_keys), WithJsonSchema({"type": "string"})]
PartName = Annotated[str | None, Field(max_length=80, description="A part's name; the first")]
Count = Annotated[int, Field(ge=0)]


class Question(BaseModel):
    """A question, whose fields are checked before anything is computed; by itself, one that needs
    none: what a trace is, and what its tokens are."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PooledQuestion(Question):
    """A small map of every head."""

    part: PartName = None


class ViewQuestion(Question):
    """A part of one value, and into how many cells."""

    address: str = Field(max_length=200)
    head: int | None = Field(default=None, ge=0)
    rows: Range = Field(default=None, description="a:b, b not included")
    columns: Range = Field(default=None, description="a:b, b not included")
    height: int | None = Field(default=None, ge=1)
    width: int | None = Field(default=None, ge=1)
    cell: int | None = Field(
        default=None,
        ge=1,
        le=2**20,
        description="Each cell just so many rows and columns, whatever height and width say",
    )
    reduction: Literal["mean", "max"] = "mean"


class ArithmeticQuestion(Question):
    """How one weight is computed."""

    layer: Count
    head: Count
    query: Count
    key: Count
    part: PartName = None


class QueryKeyQuestion(Question):
    """One token's query and the keys of some tokens, component by component."""

    layer: Count
    head: Count
    query: Count
    keys: Keys = Field(description="positions, with commas")
    part: PartName = None


class StrongestQuestion(Question):
    """The largest weights of a head of the first part."""

    layer: Count
    head: Count
    count: int = Field(default=50, ge=1, le=1000)
    least_key: int = Field(default=0, ge=0, le=2**31)
    apart: int = Field(default=0, ge=0, le=2**31)
