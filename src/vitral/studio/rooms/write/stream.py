"""Continuing a text as a stream: one line per token, and at the end the reason why it ended.

Each token is a job of its own, so that several streams and other requests take turns; when the
client disconnects, no further job is started.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel

from vitral.errors import VitralError
from vitral.studio.gate.error_body import error_body
from vitral.studio.rooms.write import schemas
from vitral.studio.rooms.write.places import (
    beginning_of,
    check_kind,
    check_length,
    row_of,
    stepping_of,
    written_pieces,
)
from vitral.studio.rooms.write.sessions import WritingSessions
from vitral.studio.session import Session

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from vitral.generation.spelling import Spelling

NUM_CANDIDATES = 24
"""How many of the most likely tokens a line has; a paused page has them all."""


class Stream:
    """One stream. `step` is called in a thread, again and again, until it gives None."""

    def __init__(
        self, session: Session, sessions: WritingSessions, asked: schemas.StreamRequest
    ) -> None:
        self._session, self._sessions, self._asked = session, sessions, asked
        self._written = list(asked.written)
        self._spelled = 0  # how many of them the spelling knows
        self._spelling: Spelling | None = None
        self._over = False

    def step(self) -> list[schemas.WrittenToken | schemas.StreamEnd] | None:
        """The next token, or the end; None after that. Raises what `next_token_block` raises."""
        if self._over:
            return None
        line = self._line()
        self._over = isinstance(line, schemas.StreamEnd)
        return [line]

    def _line(self) -> schemas.WrittenToken | schemas.StreamEnd:
        from vitral.generation.sampling import Sampling
        from vitral.generation.spelling import Spelling

        asked, written = self._asked, self._written
        with self._session.catalog.borrow(asked.model) as model:
            check_kind(model)
            with self._sessions.borrow(
                beginning_of(asked), written, lambda: stepping_of(self._session, model, asked)
            ) as stepping:
                here = asked.model_copy(update={"written": written})
                check_length(self._session, stepping, here)
                before = stepping.before
                if self._spelling is None:
                    self._spelling = Spelling(model.tokenizer, before, asked.stop)
                spelling = self._spelling
                for token in written[self._spelled :]:
                    if not spelling.stopped:
                        spelling.add(token)
                self._spelled = len(written)
                if spelling.stopped:
                    return schemas.StreamEnd(end="stop", kept=len(spelling.text))
                ended = stepping.ended(written)
                if ended is not None:
                    return schemas.StreamEnd(end=ended, kept=None)
                if len(written) - len(asked.written) >= asked.max_new_tokens:
                    return schemas.StreamEnd(end="length", kept=None)
                newest = stepping.look(written)
                step = stepping.draw(written, Sampling(**asked.settings.model_dump()), asked.seed)
                new = written_pieces(model, [*before, *written], [step.id])[0]
                self._written = [*written, step.id]
                return schemas.WrittenToken(
                    token=new,
                    share=step.share,
                    log_probability=step.log_probability,
                    rank=step.rank,
                    candidates=_candidates(newest.logits, step.shares),
                    attention=_rounded(
                        row_of(asked.model, newest.attention, asked.layer, asked.head)
                    ),
                    cross=_rounded(row_of(asked.model, newest.cross, asked.layer, asked.head)),
                    start=newest.start,
                    cache_bytes=stepping.num_bytes,
                )


def _rounded(weights_T: "NDArray[np.float32]") -> list[float]:
    return [round(weight, 6) for weight in weights_T.tolist()]


def _candidates(logits_V: "Tensor", shares_V: "Tensor") -> list[schemas.TokenShare]:
    """The model's most likely tokens."""
    best = logits_V.log_softmax(-1).topk(min(NUM_CANDIDATES, len(logits_V)))
    return [
        schemas.TokenShare(id=token, log_probability=value, share=float(shares_V[token]))
        for value, token in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]


async def lines(
    session: Session,
    step: Callable[[], Sequence[BaseModel] | None],
    first: Sequence[BaseModel] | None,
) -> AsyncIterator[bytes]:
    """The results of `step`, from `first` on until None, as lines of JSON. An error is a line as
    well, since the answer's status has been sent already."""
    try:
        while first is not None:
            yield b"".join(each.model_dump_json().encode() + b"\n" for each in first)
            first = await session.workshop.run(step)
    except VitralError as error:
        yield error_body(error).model_dump_json().encode() + b"\n"
