"""Several strategies side by side, from one position: each in turn writes one token."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from vitral.studio.rooms.write import schemas
from vitral.studio.rooms.write.places import check_kind, check_length, stepping_of
from vitral.studio.session import Session
from vitral.tracing.recording.inputs import device_of

if TYPE_CHECKING:
    from vitral.model import Model

End = Literal["end", "context", "stop", "length"]


class Race:
    """`step` is called in a thread, again and again, until it gives None."""

    def __init__(self, session: Session, asked: schemas.RaceRequest) -> None:
        self._session, self._asked = session, asked
        self._columns: list[Iterator[schemas.RaceColumn]] | None = None

    def step(self) -> list[schemas.RaceColumn] | None:
        """The texts of all strategies that are still writing; None when all have ended."""
        with self._session.catalog.borrow(self._asked.model) as model:
            if self._columns is None:
                check_kind(model)
                self._columns = [
                    _search(self._session, model, self._asked, index)
                    if strategy.num_beams is not None
                    else _write(self._session, model, self._asked, index)
                    for index, strategy in enumerate(self._asked.strategies)
                ]
            found = [line for column in self._columns if (line := next(column, None)) is not None]
            return found or None


def _write(
    session: Session, model: "Model", asked: schemas.RaceRequest, index: int
) -> Iterator[schemas.RaceColumn]:
    """One strategy that chooses token by token."""
    from vitral.generation.sampling import Sampling
    from vitral.generation.spelling import Spelling

    stepping = stepping_of(session, model, asked, watched=False)
    check_length(session, stepping, asked)
    sampling = Sampling(**asked.strategies[index].settings.model_dump())
    spelling = Spelling(model.tokenizer, [*stepping.before, *asked.written], asked.stop)
    new: list[int] = []
    total = 0.0
    end: End | None = stepping.ended(asked.written)
    while True:
        if end is not None and not spelling.stopped:
            spelling.end()
        mean = total / len(new) if new else None
        yield schemas.RaceColumn(
            column=index, ids=new, text=spelling.text, mean_log_probability=mean, end=end
        )
        if end is not None:
            return
        step = stepping.draw([*asked.written, *new], sampling, asked.seed)
        new = [*new, step.id]
        total += step.log_probability
        spelling.add(step.id)
        end = stepping.ended([*asked.written, *new])
        if spelling.stopped:
            end = "stop"
        elif end is None and len(new) >= asked.max_new_tokens:
            end = "length"


def _search(
    session: Session, model: "Model", asked: schemas.RaceRequest, index: int
) -> Iterator[schemas.RaceColumn]:
    """The most likely text as a whole; meanwhile, its most likely beginning so far."""
    import torch

    from vitral.generation.beam_search import search
    from vitral.generation.spelling import spelled
    from vitral.models.generation_settings import end_ids

    stepping = stepping_of(session, model, asked, watched=False)
    check_length(session, stepping, asked)
    num_beams = asked.strategies[index].num_beams
    assert num_beams is not None
    before = [*stepping.before, *asked.written]
    known = len(spelled(model.tokenizer, before))
    read = [*(token.id for token in stepping.prompt), *asked.written]
    ended = stepping.ended(asked.written)
    full = stepping.context is not None and len(read) >= stepping.context
    if ended is not None or full:  # beam search has no window
        yield schemas.RaceColumn(
            column=index, ids=[], text="", mean_log_probability=None, end=ended or "context"
        )
        return
    device = device_of(model.module)
    steps = search(
        model.module,
        torch.tensor(read, device=device),
        num_beams=num_beams,
        max_new_tokens=asked.max_new_tokens,
        end_id=end_ids(model.module, model.tokenizer),
        encoder_ids=stepping.encoder_ids,
    )
    for searching in steps:
        over = not searching.beginnings
        best = searching.finished[0] if over else searching.beginnings[0]
        end: End | None = None
        if over:
            last = best.ids[-1] in end_ids(model.module, model.tokenizer)
            end = (
                "end" if last else "length" if len(best.ids) == asked.max_new_tokens else "context"
            )
        yield schemas.RaceColumn(
            column=index,
            ids=best.ids,
            text=spelled(model.tokenizer, [*before, *best.ids])[known:],
            mean_log_probability=best.score if over else best.score / len(best.ids),
            end=end,
        )
