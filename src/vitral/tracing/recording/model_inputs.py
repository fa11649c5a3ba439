"""From what a model is given to its traces: texts, ids, or the module's own inputs by name.

`Model.trace` chooses which of these it was given; here each becomes the arguments of the module's
forward (`inputs`), is checked against the vocabulary and the context, and is recorded
(`forward_pass`). The decoder of an encoder–decoder reads a second row of tokens beside it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from vitral.errors import VitralError
from vitral.models.description import context, has_decoder, pad_id, reads, start_id
from vitral.tracing.memory.forecast import Forecast, budget, foresee, forewarn
from vitral.tracing.protocols import TraceableModel
from vitral.tracing.recording.inputs import Batch, arguments, batch_of_ids, check_ids, pad
from vitral.tracing.recording.named_inputs import read_named
from vitral.tracing.recording.reading import bare_tokens
from vitral.tracing.recording.reading_pairs import BETWEEN, read_pair, with_types
from vitral.tracing.recording.row_traces import Row, traces_of_rows
from vitral.tracing.recording.selection import Selection
from vitral.tracing.recording.whole_inputs import traces_of_inputs
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
    selection: Selection | None = None,
) -> list[Trace]:
    """A trace of each text, run as one batch; `tokens` are theirs.

    Raises VitralError as `Model.trace`.
    """
    batch = _batch(model, tokens)
    _check(model, batch)
    side = _decoder_side(model, len(tokens), decoder_text, decoder_ids)
    return _run(model, batch, tokens, texts, side, memory, selection)


def trace_pair(
    model: TraceableModel,
    first: str,
    second: str,
    decoder_text: str | None,
    decoder_ids: Any,
    memory: Memory,
    selection: Selection | None = None,
    *,
    special_tokens: bool = False,
) -> Trace:
    """The trace of two texts read together (`reading_pairs`); raises as `Model.trace`."""
    if model.tokenizer is None:
        raise VitralError("tokenizer_missing", model=model.name)
    tokens = read_pair(model.tokenizer, first, second, special_tokens=special_tokens)
    text = f"{first}{BETWEEN}{second}"
    [trace] = trace_texts(model, [text], [tokens], decoder_text, decoder_ids, memory, selection)
    return trace


def trace_ids(
    model: TraceableModel,
    ids: Any,
    attention_mask: Any,
    decoder_text: str | None,
    decoder_ids: Any,
    memory: Memory,
    selection: Selection | None = None,
) -> Trace | list[Trace]:
    """The trace of one row of ids, or a trace of each of several; raises as `Model.trace`."""
    batch, single = batch_of_ids(ids, attention_mask, pad_id(model.module, model.tokenizer))
    _check(model, batch)
    tokens = [bare_tokens(row, model.tokenizer) for row in batch.rows]
    side = _decoder_side(model, len(tokens), decoder_text, decoder_ids)
    traces = _run(model, batch, tokens, [None] * len(tokens), side, memory, selection)
    return traces[0] if single else traces


def trace_inputs(
    model: TraceableModel,
    inputs: dict[str, Any],
    mask: Any,
    memory: Memory,
    selection: Selection | None = None,
) -> Trace | list[Trace]:
    """The trace of the module's own inputs, by name, or a trace of each sequence in them."""
    inputs = inputs if mask is None else inputs | {"attention_mask": mask}
    read = None if reads(model.module) == "picture" else read_named(inputs, model.module)
    if read is None:
        traces = traces_of_inputs(
            model.module,
            inputs,
            model.tokenizer,
            model=model.name,
            budget=budget(memory),
            selection=selection,
        )
    else:
        batch = pad(read.rows, pad_id(model.module, model.tokenizer))
        _check(model, batch)
        tokens = [
            with_types(bare_tokens(row, model.tokenizer), each["token_type_ids"].tolist())
            if "token_type_ids" in each
            else bare_tokens(row, model.tokenizer)
            for row, each in zip(batch.rows, read.beside, strict=True)
        ]
        side = _decoder_side(model, len(tokens), None, read.decoder_rows)
        traces = _run(
            model,
            batch,
            tokens,
            [None] * len(tokens),
            side,
            memory,
            selection,
            read.beside,
            read.same,
        )
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


def _check(model: TraceableModel, batch: Batch, side: str = "encoder") -> None:
    """Raises VitralError for ids outside the vocabulary, and for more than the context."""
    check_ids(batch.rows, model.vocabulary_size)
    length = batch.ids.shape[1]
    most = model.context if side == "encoder" else context(model.module, side)
    if most is not None and length > most:
        raise VitralError("text_too_long", length=length, context=most, model=model.name)


def _run(
    model: TraceableModel,
    batch: Batch,
    tokens: list[list[Token]],
    texts: Sequence[str | None],
    side: tuple[Batch | None, list[list[Token]]],
    memory: Memory,
    selection: Selection | None = None,
    beside: Sequence[Mapping[str, Tensor]] | None = None,
    same: Mapping[str, Any] | None = None,
) -> list[Trace]:
    """A trace of each row; `side` is what the decoder of an encoder–decoder reads."""
    decoder, decoder_tokens = side
    if selection is None or selection.chosen is None:
        forewarn(model.module, batch, decoder, budget(memory))
    rows = [
        Row(
            tokens[index],
            None if decoder is None else decoder_tokens[index],
            texts[index],
            {} if beside is None else beside[index],
        )
        for index in range(len(tokens))
    ]
    return traces_of_rows(
        model.module,
        rows,
        model=model.name,
        budget=budget(memory),
        same=same,
        selection=selection,
    )


def _decoder_side(
    model: TraceableModel, num_rows: int, text: str | None, ids: Any
) -> tuple[Batch | None, list[list[Token]]]:
    """What the decoder of an encoder–decoder reads; (None, []) for other models."""
    if not has_decoder(model.module):
        if text is not None or ids is not None:
            raise TypeError(f"{model.name} has no decoder of its own: it reads one text")
        return None, []
    if ids is not None:
        batch, single = batch_of_ids(ids, None, pad_id(model.module, model.tokenizer))
        _check(model, batch, "decoder")
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
    _check(model, batch, "decoder")
    return batch, rows
