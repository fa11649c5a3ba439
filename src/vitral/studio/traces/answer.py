"""An encoder–decoder in Studio: how much it can read, and the trace of its answer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vitral.errors import VitralError
from vitral.studio.traces import schemas
from vitral.studio.traces.edit_schemas import Edit
from vitral.studio.traces.edits import edited

if TYPE_CHECKING:
    from vitral.model import Model
    from vitral.studio.traces.store import StoredTrace
    from vitral.tracing import Trace


def check_read(model: "Model", length: int) -> None:
    """Raises VitralError `text_too_long` for more tokens than the encoder accepts."""
    if model.context is not None and length > model.context:
        raise VitralError("text_too_long", length=length, context=model.context, model=model.name)


def answered(
    model: "Model",
    text: str,
    answer: str | None,
    most_tokens: int,
    edits: Sequence[Edit] = (),
    unedited: "StoredTrace | None" = None,
) -> "tuple[Trace, schemas.Answer]":
    """The trace of `text` and of `answer`, by default of the answer that the model generates
    greedily, up to its end token, the end of its context or `most_tokens`.

    Edits do not change the answer that the decoder reads: it is the one generated without them.
    `unedited` is the trace without edits, if there is one.

    Raises VitralError `text_too_long`, and what `Model.trace`, `trace_generation` and `edited`
    raise.
    """
    check_read(model, len(model.tokens(text)))
    if answer is not None:
        with edited(model, edits):
            trace = model.trace(text, decoder_text=answer)
        return trace, schemas.Answer(text=answer, given=True, ended=True)
    if unedited is not None and unedited.summary.answer is not None:
        trace, read = unedited.trace, unedited.summary.answer
    else:
        trace, read = _written(model, text, most_tokens)
    if edits:
        with edited(model, edits):
            trace = model.trace(text, decoder_ids=[token.id for token in trace.decoder_tokens])
    return trace, read


def _written(model: "Model", text: str, most_tokens: int) -> "tuple[Trace, schemas.Answer]":
    from vitral.generation.spelling import spelled
    from vitral.models.generation_settings import end_ids

    trace = model.trace_generation(text, max_new_tokens=most_tokens)
    written = [token.id for token in trace.decoder_tokens if not token.special]
    ended = trace.decoder_tokens[-1].id in end_ids(model.module, model.tokenizer)
    return trace, schemas.Answer(text=spelled(model.tokenizer, written), given=False, ended=ended)
