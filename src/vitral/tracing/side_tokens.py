"""Which tokens attend in a part of a trace, and which are attended to.

A trace has one list of tokens, an encoder–decoder's a second one of its decoder's. A model may
have stacks that read neither: CLIP's vision model beside its text model, a head that pools with a
token of its own, a decoder of speech units. Their tokens go by their places: "0", "1", "2", …
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.token import Token, numbered

if TYPE_CHECKING:
    from vitral.tracing.parts import Part
    from vitral.tracing.trace import Trace


def query_tokens(trace: "Trace", part: "Part") -> list[Token]:
    """The tokens that attend in a part."""
    named = trace.decoder_tokens if part.is_cross else _own(trace, part)
    return _named(trace, part, named, _first(trace.layers(part.name)).num_queries)


def key_tokens(trace: "Trace", part: "Part") -> list[Token]:
    """The tokens attended to in a part."""
    if part.name in trace.keys:
        return trace.keys[part.name]
    named = trace.tokens if part.is_cross else _own(trace, part)
    return _named(trace, part, named, _first(trace.layers(part.name)).num_keys)


def parts_apart(trace: "Trace") -> list[str]:
    """The parts some of whose tokens go by their places only."""
    known = (trace.tokens, trace.decoder_tokens, *trace.keys.values())
    return [
        part
        for part in trace.parts
        if not all(
            any(tokens is each for each in known)
            for tokens in (trace.query_tokens(part), trace.key_tokens(part))
        )
    ]


def _own(trace: "Trace", part: "Part") -> list[Token]:
    """What the part's stack reads."""
    if part.name == "decoder":
        return trace.decoder_tokens or trace.tokens
    return trace.tokens


def _named(trace: "Trace", part: "Part", tokens: list[Token], needed: int) -> list[Token]:
    apart = part.name in trace.apart or len(tokens) != needed
    return numbered(needed) if apart else tokens


def _first(layers: Mapping[int, AttentionRecord]) -> AttentionRecord:
    return next(iter(layers.values()))
