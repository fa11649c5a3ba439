"""What a page that carries a trace holds, as JSON: web/src/page/carried.ts is the other side.

Of each layer's attention goes in whichever is smaller: queries, keys and one log-sum-exp a row
(linear in the text's length; the page rebuilds the weights from them), or, for a short text, the
weights themselves. Records that know more than queries, keys, mask and bias, such as edited ones,
give their weights.
"""

import base64
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.surfaces.picture import PictureSurface
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.visibility import Bias, Visibility
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace

POOLED_SIDE = 24
_REBUILT_FROM = {
    "query",
    "key",
    "value",
    "lse",
    "scaling",
    "visibility",
    "bias",
    "uniform_when_blind",
    "softcap",
    "sinks",
}
"""The fields of a record that the page knows; sinks are part of the log-sum-exp."""


def page_data(trace: Trace, part: str, opens: str, made_with: str) -> dict[str, Any]:
    """The page's content, ready for json.dumps.

    Raises VitralError `page_tokens_missing` where the trace does not name all tokens,
    `page_layers` where some layers have no attention, or have other numbers of heads.
    """
    records = checked_records(trace, part)
    lists: dict[str, list[Any]] = {"rules": [], "biases": []}
    seen: dict[tuple[str, int], int] = {}
    layers = [_layer(record, lists, seen) for record in records]
    pooled = trace.pooled(POOLED_SIDE, part)
    scale = pooled.amax(dim=(2, 3))
    steps = pooled / scale.clamp_min(torch.finfo(torch.float32).tiny)[:, :, None, None]
    tokens, keys = trace.query_tokens(part), trace.key_tokens(part)
    longer = max(len(tokens), len(keys))
    return {
        "version": 1,
        "made_with": made_with,
        "opens": opens,
        "model": trace.model,
        "title": trace.model,
        "text": _text(trace, tokens),
        "surface": _surface(trace),
        "part": part,
        "address": trace.part(part).address_in_any_layer("attention.pattern"),
        "num_layers": len(records),
        "num_heads": records[0].num_heads,
        "causal": _is_causal(records),
        "tokens": [token.entries() for token in tokens],
        "keys": None if keys is tokens else [token.entries() for token in keys],
        "pooled": {
            "values": _packed((steps * 255).round().to(torch.uint8), "uint8"),
            "scale": scale.tolist(),
            "aggregated": longer > POOLED_SIDE,
        },
        **lists,
        "layers": layers,
    }


def _text(trace: Trace, tokens: list[Token]) -> str:
    if isinstance(trace.surface, PictureSurface):
        return trace.surface.title
    return trace.text or " ".join(token.text for token in tokens)


def _surface(trace: Trace) -> dict[str, Any] | None:
    """The picture that tokens lie on, its PNG in base64; None for a text: that is `text`."""
    surface = trace.surface
    if not isinstance(surface, PictureSurface):
        return None
    return {**surface.entries(), "png": base64.b64encode(surface.png).decode("ascii")}


def checked_records(trace: Trace, part: str) -> list[AttentionRecord]:
    """The part's records, where a page can show them; else VitralError, see `page_data`."""
    records = trace.layers(part)
    named = (len(trace.query_tokens(part)), len(trace.key_tokens(part)))
    for record in records.values():
        if (record.num_queries, record.num_keys) != named:
            raise VitralError(
                "page_tokens_missing",
                model=trace.model,
                queries=record.num_queries,
                keys=record.num_keys,
            )
    same = len({record.num_heads for record in records.values()}) == 1
    if not same or list(records) != list(range(len(records))):
        raise VitralError("page_layers", model=trace.model)
    return list(records.values())


def size_of(records: list[AttentionRecord]) -> int:
    """About how many bytes the records take in a page."""
    numbers = sum(min(_kept_bytes(record), _given_bytes(record)) for record in records)
    return numbers * 4 // 3


def _layer(
    record: AttentionRecord, lists: dict[str, list[Any]], seen: dict[tuple[str, int], int]
) -> dict[str, Any]:
    if _given_bytes(record) <= _kept_bytes(record):
        heads = range(record.num_heads)
        pattern = torch.cat([record.pattern(head).cpu() for head in heads])
        return {"pattern": _packed(pattern, "float32")}
    rule = bias = None
    if not record.visibility.is_everything:
        rule = _shared("rules", record.visibility, lists, seen)
    if record.bias is not None:
        bias = _shared("biases", record.bias, lists, seen)
    return {
        "query": _packed_floats(record.query),
        "key": _packed_floats(record.key),
        "lse": _packed(record.lse, "float32"),
        "scaling": record.scaling,
        "softcap": record.softcap,
        "uniform_when_blind": record.uniform_when_blind,
        "rule": rule,
        "bias": bias,
    }


def _can_be_rebuilt(record: object) -> bool:
    """Whether the record is what the page takes it for, and knows nothing more."""
    if type(record) is not AttentionRecord:
        return False
    more = [each.name for each in fields(record) if each.name not in _REBUILT_FROM]
    return all(getattr(record, name) in (None, (), False) for name in more)


def _given_bytes(record: AttentionRecord) -> int:
    return record.num_heads * record.num_queries * record.num_keys * 4


def _kept_bytes(record: AttentionRecord) -> int:
    """What queries, keys and log-sum-exp take; more than anything where they do not suffice."""
    if not _can_be_rebuilt(record):
        return 1 << 62
    width = 2 if record.query.dtype == torch.bfloat16 else 4
    return (record.query.numel() + record.key.numel()) * width + record.lse.numel() * 4


def _shared(
    kind: str,
    rule: Visibility | Bias,
    lists: dict[str, list[Any]],
    seen: dict[tuple[str, int], int],
) -> int:
    """Where in the page's list a rule stands; layers that share one share the entry."""
    key = (kind, id(rule))
    if key not in seen:
        seen[key] = len(lists[kind])
        names = ("dense",) if rule.dense is not None else ("diagonal", "columns", "free")
        tensors = {name: getattr(rule, name, None) for name in names}
        form = _packed_bits if kind == "rules" else _packed_floats
        lists[kind].append({name: form(t) for name, t in tensors.items() if t is not None})
    return seen[key]


def _packed_floats(tensor: Tensor) -> dict[str, Any]:
    return _packed(tensor, "bfloat16" if tensor.dtype == torch.bfloat16 else "float32")


def _packed_bits(tensor: Tensor) -> dict[str, Any]:
    content = np.packbits(tensor.cpu().numpy()).tobytes()
    return _entry("bits", tensor, content)


def _packed(tensor: Tensor, kind: str) -> dict[str, Any]:
    """A tensor in base64, little endian; a bfloat16 as its two bytes."""
    tensor = tensor.detach().cpu()
    if kind == "bfloat16":
        array = tensor.contiguous().view(torch.int16).numpy().astype("<i2")
    else:
        array = tensor.float().numpy().astype("<f4" if kind == "float32" else "u1")
    return _entry(kind, tensor, array.tobytes())


def _entry(kind: str, tensor: Tensor, content: bytes) -> dict[str, Any]:
    encoded = base64.b64encode(content).decode("ascii")
    return {"type": kind, "shape": list(tensor.shape), "base64": encoded}


def _is_causal(records: list[AttentionRecord]) -> bool:
    """Whether nothing looks ahead, not by an edit either."""
    return all(
        not bool(
            torch.cat([record.pattern(head) for head in range(record.num_heads)]).triu(1).any()
        )
        if type(record) is not AttentionRecord
        else record.visibility.is_causal
        for record in records
    )
