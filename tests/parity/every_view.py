"""Everything that Studio, a page and a figure ask of a trace, asked of one trace.

Vitral's own errors are answers: a view that says why it shows nothing. Any other exception is a
fault, and leaves these functions as it is.
"""

from collections.abc import Callable, Iterator
from typing import Any

from vitral.errors import VitralError
from vitral.explain import measures, word_paths
from vitral.studio.limits import Limits
from vitral.studio.rooms.explore.explaining.graph import graph_of
from vitral.studio.traces.answers import TraceAnswers
from vitral.studio.traces.questions import (
    ArithmeticQuestion,
    PooledQuestion,
    QueryKeyQuestion,
    StrongestQuestion,
    ViewQuestion,
)
from vitral.studio.traces.summary import summary_of
from vitral.tracing.trace import Trace

SIDE = 8


def refusals(trace: Trace, *, drawn: bool = True) -> list[str]:
    """Asks everything, with `drawn` also figures and pages; the keys of the errors that were the
    answer, in order, each once."""
    found: dict[str, None] = {}
    for ask in (*(_drawings(trace) if drawn else ()), *_answers(trace)):
        try:
            ask()
        except VitralError as error:
            str(error)  # the line can be written
            found.setdefault(error.key)
    return list(found)


def _drawings(trace: Trace) -> Iterator[Callable[[], Any]]:
    for part in trace.parts:
        yield lambda part=part: trace.plot("heat", part=part)
        yield lambda part=part: trace.plot("lines", part=part, width="page")
        yield lambda part=part: trace.plot("grid", part=part)
        yield lambda part=part: trace.to_html(part=part)


def _answers(trace: Trace) -> Iterator[Callable[[], Any]]:
    limits = Limits()
    answers = TraceAnswers(trace, limits)
    yield lambda: summary_of(
        trace, key="a", model=trace.model, seconds=0, limits=limits
    ).model_dump_json()
    yield answers.tokens
    yield answers.picture
    for address in trace.addresses():
        for head in (0, None):
            asked = ViewQuestion(address=address, head=head, height=SIDE, width=SIDE)
            yield lambda asked=asked: answers.view(asked)
    for part in trace.parts:
        layer = next(iter(trace.layers(part)))
        cell = {"layer": layer, "head": 0, "query": 0, "part": part}
        yield lambda part=part: measures(trace, part).heads()
        yield lambda part=part: answers.pooled(PooledQuestion(part=part))
        yield lambda cell=cell: answers.arithmetic(
            ArithmeticQuestion(**cell, key=0)
        ).model_dump_json()
        yield lambda cell=cell: answers.query_key(QueryKeyQuestion(**cell, keys=[0]))
        yield lambda part=part: word_paths([trace], [0], part=part)
        for kind in ("attention", "rollout", "flow"):
            yield lambda part=part, kind=kind: graph_of(trace, part, 0, kind, None, None, 0.01)
    yield lambda: answers.strongest(StrongestQuestion(layer=0, head=0))
