"""Whether what a trace's file holds fits together, so that no view of it fails later.

Each function raises ValueError with the address of what does not fit. Shapes: H heads, T queries,
S keys, D wide.
"""

import re
from collections.abc import Mapping
from itertools import chain

import torch
from torch import Tensor

from vitral.surfaces.picture import PictureSurface
from vitral.surfaces.place import Patch
from vitral.tracing.addresses import Address
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.given_pattern import GivenPattern
from vitral.tracing.files.header import LARGEST
from vitral.tracing.files.row_sums import HALF, row_sums
from vitral.tracing.files.save_trace import vectors_of
from vitral.tracing.side_tokens import parts_apart
from vitral.tracing.trace import Trace

FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
MOST_HEADS = 1 << 18
"""Layers times heads of one stack: a window of all of them is made at once."""
MOST_SQUARE = 1 << 28
"""Numbers in a rule that is kept as a matrix for a file that has not as many bytes."""

_VALUE = re.compile(
    r"embed|logits|output|residual\.(pre|mid|post)|(cross_)?attention(_\d+)?\.out|mlp\.out"
)


def must(holds: bool, what: str) -> None:
    """Raises ValueError(what) unless it holds."""
    if not holds:
        raise ValueError(what)


def check_attention(prefix: str, record: AttentionRecord) -> None:
    """The tensors of an attention: their types, sizes and numbers."""
    query, key, value, lse = record.query, record.key, record.value, record.lse
    for tensor, name in ((query, "q"), (key, "k"), (value, "v")):
        must(tensor.dim() == 3 and tensor.dtype in FLOATS, f"{prefix}.{name}")
        must(min(tensor.shape) > 0 and are_numbers(tensor), f"{prefix}.{name}")
    must(query.dtype == key.dtype, f"{prefix}.k")
    must(query.shape[0] % key.shape[0] == 0 and query.shape[2] == key.shape[2], f"{prefix}.k")
    must(value.shape[:2] == key.shape[:2] and value.dtype == key.dtype, f"{prefix}.v")
    exact = torch.float64 if query.dtype == torch.float64 else torch.float32
    must(lse.shape == query.shape[:2] and lse.dtype in (torch.float32, exact), f"{prefix}.lse")
    must(are_numbers(lse.masked_fill(lse.isposinf(), 0)), f"{prefix}.lse")
    sinks = record.sinks
    if sinks is not None:
        fits = sinks.shape == query.shape[:1] and sinks.dtype in FLOATS
        must(fits and are_numbers(sinks), f"{prefix}.sinks")
    _check_rules(prefix, record)


def _check_rules(prefix: str, record: AttentionRecord) -> None:
    T, S = record.num_queries, record.num_keys
    lengths = {"diagonal": (T + S - 1,), "columns": (S,), "free": (T,), "dense": (T, S)}
    for rule, kind in ((record.visibility, "visibility"), (record.bias, "bias")):
        for part, tensor in [] if rule is None else vectors_of(rule):
            must(tensor.dim() == 1 + len(lengths[part]), f"{prefix}: {kind}")
            fits = tensor.shape[1:] == lengths[part] and tensor.shape[0] in (1, record.num_heads)
            known = (torch.bool,) if kind == "visibility" else FLOATS
            must(fits and tensor.dtype in known, f"{prefix}: {kind}")
            floats = kind == "bias" and not isinstance(record, GivenPattern)
            must(not floats or are_numbers(tensor), f"{prefix}: {kind}")
    named = [part for part, _ in vectors_of(record.visibility)]
    must(named in (["diagonal", "columns", "free"], ["dense"]), f"{prefix}: visibility")
    must(record.bias is None or len(vectors_of(record.bias)) == 1, f"{prefix}: bias")


def check_rows(prefix: str, record: AttentionRecord, said: str | None) -> None:
    """That each row of weights adds up to one, or, where the file says "less", to no more. The
    rows of a long text are looked at in part (see `row_sums`)."""
    sums = row_sums(record)
    must(bool((sums >= 0).all() and (sums <= 1 + HALF).all()), f"{prefix}: Σ = {_worst(sums)}")
    if said == "whole":
        must(bool((sums >= 1 - HALF).all()), f"{prefix}: Σ = {_worst(sums)}")


def _worst(sums: Tensor) -> str:
    place = int((sums - 1).abs().nan_to_num(torch.inf).argmax())
    return f"{float(sums.flatten()[place]):.3g}"


def check_values(values: Mapping[str, Tensor]) -> None:
    """The values besides attention: known addresses, numbers, and a place for each token."""
    for name, tensor in values.items():
        must(_VALUE.fullmatch(Address.parse(name).value) is not None, name)
        must(tensor.dtype in FLOATS and 1 <= tensor.dim() <= 4 and tensor.numel() > 0, name)
        result = Address.parse(name).value in ("logits", "output")
        must(are_numbers(tensor.masked_fill(tensor.isneginf(), 0) if result else tensor), name)


def are_numbers(tensor: Tensor) -> bool:
    """Whether all are finite, and none too large to be computed with."""
    if not tensor.numel():
        return True
    low, high = tensor.aminmax()
    return bool(low >= -LARGEST) and bool(high <= LARGEST)


def check_trace(trace: Trace, said_apart: frozenset[str]) -> None:
    """That parts, tokens and values belong together."""
    must(set(parts_apart(trace)) <= said_apart, "tokens")
    must(said_apart <= set(trace.parts), "apart")
    for part, tokens in trace.keys.items():
        must(part in trace.parts, "keys")
        must(all(len(tokens) == each.num_keys for each in trace.layers(part).values()), "keys")
    for part in trace.parts:
        num_blocks = trace.num_blocks(part)
        heads = max(record.num_heads for record in trace.layers(part).values())
        must(num_blocks * heads <= MOST_HEADS, f"layers.{num_blocks - 1}")
    for name, original in trace.aliases.items():
        must(original in trace.values and name not in trace.values, f"aliases.{name}")
        must(_VALUE.fullmatch(Address.parse(name).value) is not None, f"aliases.{name}")
    surface = trace.surface
    for token in (*trace.tokens, *trace.decoder_tokens, *chain(*trace.keys.values())):
        if isinstance(token.place, Patch):
            patch = token.place
            must(isinstance(surface, PictureSurface), "token.patch")
            assert isinstance(surface, PictureSurface)
            must(patch.row < surface.rows and patch.column < surface.columns, "token.patch")
            must(patch.left < patch.right <= surface.width, "token.patch")
            must(patch.top < patch.bottom <= surface.height, "token.patch")
