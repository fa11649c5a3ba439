"""A trace's description, before any of its numbers: its tokens, and its parts."""

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from vitral.errors import VitralError
from vitral.studio.limits import Limits
from vitral.studio.traces import schemas
from vitral.studio.traces.token_list import listed

if TYPE_CHECKING:
    from vitral.tracing import Token, Trace


def summary_of(
    trace: "Trace",
    *,
    key: str,
    model: str,
    seconds: float,
    limits: Limits,
    answer: schemas.Answer | None = None,
    opened: str | None = None,
) -> schemas.Trace:
    """The trace as the API describes it. `key` is its id, `opened` the file it was read from.

    Raises VitralError `no_attention` for a trace without any, and `trace_not_drawn` for
    attention that has not always as many heads and tokens.
    """
    first = trace.first_part
    parts = [part_of(trace, name) for name in drawn_parts(trace)]
    return schemas.Trace(
        id=key,
        model=model,
        text=_text(trace),
        num_layers=trace.num_layers,
        num_heads=trace.num_heads,
        causal=next(part.causal for part in parts if part.name == first),
        exactness=trace.exactness,
        parts=parts,
        num_tokens=len(trace.tokens),
        surface=surface_of(trace),
        tokens=listed(trace.tokens, limits),
        decoder_tokens=_tokens(trace.decoder_tokens),
        answer=answer,
        edits=trace.edits,
        reading=trace.reading.name,
        opened=opened,
        pooled_size=min(limits.pooled_side, len(trace.tokens)),
        seconds=seconds,
    )


def drawn_parts(trace: "Trace") -> list[str]:
    """The parts that the page shows. Of a picture's trace those between its own tokens: a head
    that pools them (SigLIP) asks with a token of its own."""
    if trace.surface is None or trace.surface.kind != "picture":
        return trace.parts
    length = len(trace.tokens)
    return [
        name
        for name in trace.parts
        if name == trace.first_part
        or all(
            (record.num_queries, record.num_keys) == (length, length)
            for record in trace.layers(name).values()
        )
    ]


_SURFACE: TypeAdapter[schemas.TextSurface | schemas.PictureSurface] = TypeAdapter(schemas.Surface)


def surface_of(trace: "Trace") -> schemas.TextSurface | schemas.PictureSurface | None:
    """The text or picture of the trace's tokens, as the API describes it."""
    if trace.surface is None:
        return None
    return _SURFACE.validate_python(trace.surface.entries())


def part_of(trace: "Trace", name: str) -> schemas.Part:
    """One part of a trace. Raises VitralError `trace_not_drawn`, see `summary_of`."""
    from vitral.tracing.attention.given_pattern import kept_of

    records, found = trace.layers(name), trace.part(name)
    all_records = list(records.values())
    first = all_records[0]
    part = schemas.Part(
        name=name,
        num_layers=trace.num_blocks(name),
        layers=list(records),
        num_heads=first.num_heads,
        causal=all(record.visibility.is_causal for record in all_records) and not found.is_cross,
        address=found.address_in_any_layer("attention.pattern"),
        queries=_list_of(trace, trace.query_tokens(name)),
        keys=_list_of(trace, trace.key_tokens(name)),
        num_queries=first.num_queries,
        num_keys=first.num_keys,
        own_keys=_tokens(trace.keys[name]) if name in trace.keys else None,
        computed=trace.reading.is_plain and all("q" in kept_of(each) for each in all_records),
    )
    size = (first.num_heads, first.num_queries, first.num_keys)
    if any((each.num_heads, each.num_queries, each.num_keys) != size for each in all_records):
        raise VitralError("trace_not_drawn", model=trace.model)
    return part


def _list_of(trace: "Trace", tokens: "list[Token]") -> schemas.TokenList:
    if tokens is trace.decoder_tokens:
        return "decoder_tokens"
    return "tokens" if tokens is trace.tokens else "numbered"


def _text(trace: "Trace") -> str:
    if trace.surface is not None:
        return trace.surface.title
    return " ".join(each.text for each in trace.tokens)


def _tokens(tokens: "list[Token]") -> list[schemas.Token]:
    return [schemas.Token(**token.entries()) for token in tokens]
