"""What the page asks when it edits a model, and what Studio answers. Everything counts from 0."""

from pydantic import BaseModel, ConfigDict, Field

from vitral.studio.traces.edit_schemas import Edit, Place

MOST_EDITS = 256


class TouchRequest(BaseModel):
    """A text to be traced with an edited model."""

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
    before: list[CandidateChange] = Field(description="The most likely without the edits")
    after: list[CandidateChange] = Field(description="The most likely with them")
    rose: list[CandidateChange]
    fell: list[CandidateChange]
    heads: list[HeadMoved] = Field(
        description="The heads whose attention changed most, those silenced left out"
    )
