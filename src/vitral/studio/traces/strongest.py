"""A head's largest weights."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from vitral.studio.traces.questions import StrongestQuestion

if TYPE_CHECKING:
    from vitral.tracing import Trace


class Weight(BaseModel):
    """One attention weight, by the positions of its two tokens."""

    query: int = Field(description="The token that attends")
    key: int = Field(description="The token attended to")
    weight: float


class StrongestWeights(BaseModel):
    """A head's largest weights, the largest first."""

    layer: int
    head: int
    weights: list[Weight]


def strongest_of(trace: "Trace", asked: StrongestQuestion) -> StrongestWeights:
    """What `vitral.explain.strongest_weights` finds, and raises."""
    from vitral.explain import strongest_weights

    found = strongest_weights(
        trace,
        layer=asked.layer,
        head=asked.head,
        count=asked.count,
        least_key=asked.least_key,
        apart=asked.apart,
    )
    weights = [Weight(query=each.query, key=each.key, weight=each.weight) for each in found]
    return StrongestWeights(layer=asked.layer, head=asked.head, weights=weights)
