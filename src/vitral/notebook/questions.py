"""The picture's questions over anywidget's messages: each question and each answer is one message.

    → {"question": "k3x-7", "ask": "view", "values": {"address": …, "head": 0, "rows": [0, 9]}}
    ← {"answer": "k3x-7", "found": {…}}, or the same without `found` and a block beside it,
      or {"answer": "k3x-7", "error": {"code": …, "values": {…}, "message": …}}

Questions and answers are those of Studio (vitral.studio.traces.questions, docs/studio-api.md);
only what is shown is computed.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vitral.errors import VitralError
from vitral.studio.gate.error_body import invalid_request
from vitral.studio.single_trace import SingleTrace
from vitral.studio.traces import questions


class Message(BaseModel):
    """A question by its name, with the picture's number for it, which the answer repeats."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(max_length=100)
    ask: str = Field(max_length=100)
    values: dict[str, Any]


def answer(trace: SingleTrace, ask: str, values: Mapping[str, Any]) -> dict[str, Any] | bytes:
    """The answer, as JSON or as a block.

    Raises VitralError `request_invalid`, and what computing the answer raises.
    """
    asked: dict[str, tuple[type[questions.Question], Callable[[Any], BaseModel | bytes]]] = {
        "studio": (questions.Question, lambda _: trace.studio()),
        "trace": (questions.Question, lambda _: trace.summary()),
        "tokens": (questions.Question, lambda _: trace.tokens()),
        "picture": (questions.Question, lambda _: trace.picture()),
        "pooled": (questions.PooledQuestion, trace.pooled),
        "view": (questions.ViewQuestion, trace.view),
        "query_key": (questions.QueryKeyQuestion, trace.query_key),
        "arithmetic": (questions.ArithmeticQuestion, trace.arithmetic),
        "strongest": (questions.StrongestQuestion, trace.strongest),
    }
    if ask not in asked:
        raise VitralError("request_invalid", field="ask", reason=", ".join(asked))
    kind, work = asked[ask]
    try:
        found = work(kind.model_validate(values))
    except ValidationError as error:
        raise invalid_request(error.errors()) from error
    return found if isinstance(found, bytes) else found.model_dump()
