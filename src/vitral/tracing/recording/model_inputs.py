"""From what a model is given to its traces: texts, ids, or the module's own inputs by name.

`Model.trace` chooses which of these it was given; here each becomes the arguments of the module's
forward (`inputs`), is checked against the vocabulary and the context, and is recorded
(`forward_pass`). The decoder of an encoder–decoder reads a second row of tokens beside it.
"""

from collections.abc import Sequence
from typing import Any

from vitral.errors import VitralError
from vitral.models.description import pad_id, start_id
from vitral.tracing.memory.forecast import Forecast, budget, foresee, forewarn
from vitral.tracing.memory.store import Store
from vitral.tracing.protocols import TraceableModel
from vitral.tracing.recording.forward_pass import record
from vitral.tracing.recording.inputs import Batch, arguments, batch_of_ids, check_ids, pad
from vitral.tracing.recording.reading import bare_tokens
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace

Memory = int | str | None
"""How much of a trace may stay in memory: bytes, a size such as "2 GB", or the default."""


def trace_texts(
    model: TraceableModel,
    texts: Sequence[str],
    tokens: list[list[Token]],
    decoder_text: str | None,
    decoder_ids: Any,
    memory: Memory,
) -> list[Trace]:
    """A trace of each text, run as one batch; `tokens` are theirs.

    Raises VitralError as `Model.trace`.
    """
    batch = _batch(model, tokens)
    _check(model, batch)
    return _run(model, batch, tokens, texts, decoder_text, decoder_ids, memory)


def trace_ids(
    model: TraceableModel,
    ids: Any,
    attention_mask: Any,
    decoder_text: str | None,
    decoder_ids: Any,
    memory: Memory,
) -> Trace | list[Trace]:
    """The trace of one row of ids, or a trace of each of several; raises as `Model.trace`."""
    batch, single = batch_of_ids(ids, attention_mask, pad_id(model.module, model.tokenizer))
    _check(model, batch)
    tokens = [bare_tokens(row, model.tokenizer) for row in batch.rows]
    texts = [None] * len(tokens)
    traces = _run(model, batch, tokens, texts, decoder_text, decoder_ids, memory)
    return traces[0] if single else traces


def trace_inputs(
    model: TraceableModel, inputs: dict[str, Any], mask: Any, memory: Memory
) -> Trace | list[Trace]:
    """The trace of the module's own inputs, by name, or a trace of each sequence in them."""
    recording = record(
        model.module,
        (),
        inputs if mask is None else inputs | {"attention_mask": mask},
        store=Store(budget(memory)),
    )
    sides = [bare_tokens(list(range(length))) for length in recording.num_tokens]
    traces = [
        recording.trace(
            index,
            model=model.name,
            text=None,
            tokens=sides[0],
            decoder_tokens=sides[1] if len(sides) > 1 else [],
        )
        for index in range(recording.num_sequences)
    ]
    return traces[0] if len(traces) == 1 else traces


def forecast_of(model: TraceableModel, text: str | None, ids: Any, memory: Memory) -> Forecast:
    """The memory and disk that tracing a text, or ids, would need."""
    if text is not None:
        batch = _batch(model, [model.tokens(text)])
    else:
        batch, _ = batch_of_ids(ids, None, pad_id(model.module, model.tokenizer))
    decoder, _ = _decoder_side(model, len(batch.ids), None, None)
    return foresee(model.module, batch, decoder, budget(memory))


def arguments_of(model: TraceableModel, text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the module is called with to read a text; raises as `Model.trace`."""
    batch = _batch(model, [model.tokens(text)])
    _check(model, batch)
    decoder, _ = _decoder_side(model, 1, None, None)
    return arguments(model.module, batch, decoder)


def _batch(model: TraceableModel, tokens: list[list[Token]]) -> Batch:
    padding = pad_id(model.module, model.tokenizer)
    return pad([[token.id for token in row] for row in tokens], padding)


def _check(model: TraceableModel, batch: Batch) -> None:
    """Raises VitralError for ids outside the vocabulary, and for more than the context."""
    check_ids(batch.ids.tolist(), model.vocabulary_size)
    length = batch.ids.shape[1]
    if model.context is not None and length > model.context:
        raise VitralError("text_too_long", length=length, context=model.context, model=model.name)


def _run(
    model: TraceableModel,
    batch: Batch,
    tokens: list[list[Token]],
    texts: Sequence[str | None],
    decoder_text: str | None,
    decoder_ids: Any,
    memory: Memory,
) -> list[Trace]:
    decoder, decoder_tokens = _decoder_side(model, len(tokens), decoder_text, decoder_ids)
    args, named = arguments(model.module, batch, decoder)
    forewarn(model.module, batch, decoder, budget(memory))
    whole = all(span == (0, batch.ids.shape[1]) for span in batch.spans)
    recording = record(model.module, args, named, store=Store(budget(memory)), measured=whole)
    return [
        recording.trace(
            index,
            model=model.name,
            text=texts[index],
            tokens=tokens[index],
            decoder_tokens=[] if decoder is None else decoder_tokens[index],
            span=batch.spans[index],
            decoder_span=None if decoder is None else decoder.spans[index],
        )
        for index in range(len(tokens))
    ]


def _decoder_side(
    model: TraceableModel, num_rows: int, text: str | None, ids: Any
) -> tuple[Batch | None, list[list[Token]]]:
    """What the decoder of an encoder–decoder reads; (None, []) for other models."""
    if model.kind != "encoder-decoder":
        if text is not None or ids is not None:
            raise TypeError(f"{model.name} has no decoder of its own: it reads one text")
        return None, []
    if ids is not None:
        batch, single = batch_of_ids(ids, None, pad_id(model.module, model.tokenizer))
        _check(model, batch)
        given = batch.rows * num_rows if single else batch.rows
        rows = [bare_tokens(row, model.tokenizer) for row in given]
    else:
        rows = [bare_tokens([start_id(model.module, model.tokenizer)], model.tokenizer)]
        if text is not None:
            read = model.tokens(text)
            end = len(read) - (1 if read[-1].start is None else 0)  # the end token is not read
            rows = [[*rows[0], *read[:end]]]
        rows = rows * num_rows
    if len(rows) != num_rows:
        raise VitralError("ids_unreadable")
    batch = _batch(model, rows)
    _check(model, batch)
    return batch, rows
