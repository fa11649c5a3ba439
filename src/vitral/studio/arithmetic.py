"""One attention weight's calculation, as the page asks for it."""

import math
from typing import TYPE_CHECKING

from vitral.studio import schemas

if TYPE_CHECKING:
    from vitral.tracing import Trace


def arithmetic_of(
    trace: "Trace", layer: int, head: int, query: int, key: int, part: str | None = None
) -> schemas.Arithmetic:
    """How the weight at (`query`, `key`) came about; raises what `explain.arithmetic` raises."""
    from vitral.explain import arithmetic

    part = trace.first_part if part is None else part
    found = arithmetic(trace, layer=layer, head=head, query=query, key=key, part=part)
    return schemas.Arithmetic(
        part=part,
        layer=layer,
        head=head,
        query=query,
        key=key,
        q=found.q.tolist(),
        k=found.k.tolist(),
        products=found.products.tolist(),
        dot=found.dot,
        scaling=found.scaling,
        softcap=found.softcap,
        bias=found.bias,
        score=found.score,
        scores=[None if math.isinf(score) else score for score in found.scores.tolist()],
        sink=found.sink,
        weights=found.weights.tolist(),
        weight=found.weight,
        output=found.output.tolist(),
        latex=found.latex(),
        python=found.python(),
    )
