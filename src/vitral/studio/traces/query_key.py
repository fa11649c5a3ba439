"""One query with some keys, for the page: their vectors as a block, with its header."""

import math
from typing import TYPE_CHECKING

from pydantic import BaseModel

from vitral.studio.traces.blocks import encode_block
from vitral.studio.traces.questions import QueryKeyQuestion

if TYPE_CHECKING:
    from vitral.tracing import Trace


class QueryKeyHeader(BaseModel):
    """`scores` are null for keys that the mask hides."""

    keys: list[int]
    scaling: float
    scores: list[float | None]
    weights: list[float]


def query_key_block(trace: "Trace", asked: QueryKeyQuestion) -> bytes:
    """float32 [1 + keys, width]: the query's vector, then each key's.

    The header is a `QueryKeyHeader`. Raises what `explain.query_key` raises.
    """
    import torch

    from vitral.explain import query_key

    met = query_key(trace, **asked.model_dump())
    header = QueryKeyHeader(
        keys=asked.keys,
        scaling=met.scaling,
        scores=[None if math.isinf(score) else score for score in met.scores.tolist()],
        weights=met.weights.tolist(),
    )
    vectors = torch.cat([met.q[None], met.keys]).numpy()
    return encode_block(vectors, aggregated=False, **header.model_dump())
