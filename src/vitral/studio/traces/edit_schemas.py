"""The edits of a model that a request may ask for. Layers, heads and tokens count from 0."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_PLACE = Field(ge=0, le=1_000_000)

Place = Annotated[int, _PLACE]
Part = Annotated[
    str | None,
    Field(max_length=16, description="One of the trace's parts; null: the first"),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Silence(_Strict):
    """A head adds nothing."""

    kind: Literal["silence"]
    part: Part = None
    layer: Place
    head: Place


class SetWeight(_Strict):
    """One weight of a head; the rest of its row makes room in proportion, so that it sums to
    one. Weights that were set keep their values."""

    kind: Literal["weight"]
    part: Part = None
    layer: Place
    head: Place
    row: Place = Field(description="The token that attends")
    column: Place = Field(description="The token attended to")
    value: float = Field(ge=0, le=1, allow_inf_nan=False)


class Blank(_Strict):
    """A token to which no token may attend, in any layer; in an encoder–decoder neither the text's
    own tokens nor those of the answer."""

    kind: Literal["blank"]
    of: Literal["tokens", "decoder_tokens"] = "tokens"
    token: Place


Edit = Annotated[Silence | SetWeight | Blank, Field(discriminator="kind")]
