"""What the page asks when it touches a model, and what it is told. Everything counts from 0."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_EDITS = 256
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


class Weight(_Strict):
    """One weight of a head; the rest of its row makes room in proportion, so that it sums to
    one. Weights that were set keep their values."""

    kind: Literal["weight"]
    part: Part = None
    layer: Place
    head: Place
    row: Place = Field(description="The token that looks")
    column: Place = Field(description="The token looked at")
    value: float = Field(ge=0, le=1, allow_inf_nan=False)


class Blank(_Strict):
    """A token that nobody may look at, in any layer; in an encoder–decoder neither the text's
    own tokens nor those of the answer."""

    kind: Literal["blank"]
    of: Literal["tokens", "decoder_tokens"] = "tokens"
    token: Place


Edit = Annotated[Silence | Weight | Blank, Field(discriminator="kind")]


class TouchRequest(BaseModel):
    """A text to be seen through a model that is edited meanwhile."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(min_length=1, max_length=500)
    text: str
    answer: str | None = Field(
        None,
        description="What an encoder–decoder's decoder reads; null: what the model writes unedited",
    )
    edits: list[Edit] = Field(max_length=MOST_EDITS, description="The later one counts")


class PredictionRequest(TouchRequest):
    """The same, and which prediction is compared."""

    place: Place | None = Field(
        default=None, description="Of an encoder–decoder, in its answer. null: the last token"
    )
    masked: bool = Field(
        default=False, description="The token there is replaced by the mask before it is asked for"
    )
    count: int = Field(default=8, ge=1, le=50, description="Most tokens of each list")


class CandidateChange(BaseModel):
    """A token that may stand there, and its probability without and with the edits."""

    id: int
    text: str
    before: float
    after: float


class HeadMoved(BaseModel):
    """How much of a head's attention went elsewhere: ½ Σ |after − before|, its rows' mean."""

    part: str
    layer: int
    head: int
    share: float


class PredictionAnswer(BaseModel):
    """A prediction without and with the edits."""

    place: int
    masked: bool
    divergence: float = Field(description="Kullback–Leibler, before from after, in nats")
    moved: float = Field(description="½ Σ |after − before|: the share of probability that moved")
    before: list[CandidateChange] = Field(description="The likeliest without the edits")
    after: list[CandidateChange] = Field(description="The likeliest with them")
    rose: list[CandidateChange]
    fell: list[CandidateChange]
    heads: list[HeadMoved] = Field(
        description="The heads whose attention changed most, those silenced left out"
    )
