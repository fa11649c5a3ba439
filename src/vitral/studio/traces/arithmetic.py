"""One attention weight's calculation, for the page."""

import math
from typing import TYPE_CHECKING

from vitral.studio.traces import schemas
from vitral.studio.traces.questions import ArithmeticQuestion

if TYPE_CHECKING:
    from vitral.tracing import Trace


def arithmetic_of(trace: "Trace", asked: ArithmeticQuestion) -> schemas.Arithmetic:
    """How that weight is computed; raises what `explain.arithmetic` raises."""
    from vitral.explain import arithmetic

    cell = asked.model_dump()
    cell["part"] = trace.first_part if asked.part is None else asked.part
    found = arithmetic(trace, **cell)
    return schemas.Arithmetic(
        **cell,
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
