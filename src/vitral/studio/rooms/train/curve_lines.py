"""What a line of a run's curve must be before Studio shows it: the lines of `steps.jsonl` and of
`curve.jsonl`, in their types and ranges."""

from typing import Annotated

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

Count = Annotated[int, Field(ge=0, le=2**53)]


class StepLine(BaseModel):
    """A step; null where a norm overflowed."""

    step: Count
    loss: float | None = None
    rate: float = 0.0
    gradient_norm: float | None = None
    tokens: Count = 0
    seconds: float = Field(default=0.0, ge=0)
    gradient_norms: dict[str, float | None] = Field(default_factory=dict)


class Evaluation(BaseModel):
    """An evaluation on held-out text; losses in nats per token, other figures where measured."""

    step: int
    tokens: int
    minutes: float
    loss: float
    held_out_loss: float
    bits_per_byte: float | SkipJsonSchema[None] = None
    masked_accuracy: float | SkipJsonSchema[None] = None
    sample: str | SkipJsonSchema[None] = None
