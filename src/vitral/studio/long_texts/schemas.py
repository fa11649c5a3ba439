"""What travels between Studio and the page of a long text."""

from pydantic import BaseModel, Field


class Weight(BaseModel):
    """One attention weight, by the positions of its two tokens."""

    query: int = Field(description="The token that looks")
    key: int = Field(description="The token looked at")
    weight: float


class StrongestWeights(BaseModel):
    """A head's strongest weights, the greatest first."""

    layer: int
    head: int
    weights: list[Weight]
