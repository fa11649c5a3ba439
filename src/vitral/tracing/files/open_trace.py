"""Opening a trace on disk; `save_trace` wrote it and says what is in the file.

A file from a later Vitral, with a higher version, is refused rather than half understood. So
is one that is cut short, altered, or does not fit together.
"""

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.nn.pattern_edit import PatternEdit
from vitral.surfaces.registry import read_surface
from vitral.surfaces.surface import Surface
from vitral.tracing.addresses import in_order
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.edited_record import EditedRecord
from vitral.tracing.attention.given_pattern import GivenPattern
from vitral.tracing.attention.visibility import Bias, Visibility
from vitral.tracing.files.save_trace import ENTRY, SHORT, SURFACE, VECTORS, VERSION, vectors_of
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace


def open_trace(path: str | os.PathLike[str]) -> Trace:
    """Read a trace that `Trace.save` wrote.

    Raises VitralError `trace_missing` (no such file), `trace_version` (written by a later
    Vitral) or `trace_damaged` (no trace, cut short, or altered).
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise VitralError("trace_missing", path=str(path))
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[ENTRY])
            version = header["version"]
            if not isinstance(version, int) or version < 1:
                raise ValueError(f"version: {version!r}")
            if version > VERSION:
                raise VitralError(
                    "trace_version", path=str(path), version=version, supported=VERSION
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return _read(header, tensors)
    except KeyError as error:
        raise VitralError("trace_damaged", path=str(path), reason=str(error.args[0])) from error
    except (
        SafetensorError,
        OSError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        RuntimeError,
    ) as error:
        raise VitralError("trace_damaged", path=str(path), reason=str(error)) from error


def _read(header: dict[str, Any], tensors: dict[str, Tensor]) -> Trace:
    """The trace that header and tensors describe; KeyError or ValueError if they do not fit."""
    attentions = {}
    used = set()
    for prefix, description in header["attentions"].items():
        names = {name: f"{prefix}.{short}" for name, short in SHORT.items()}
        used |= {*names.values(), f"{prefix}.sinks"}
        softcap = description.get("softcap")
        query, key, value, lse = (tensors[name] for name in names.values())
        rule = {
            part: tensors[f"{description['visibility']}.{part}"]
            for part in VECTORS
            if f"{description['visibility']}.{part}" in tensors
        }
        bias = {
            part: tensors[f"{description['bias']}.{part}"]
            for part in VECTORS
            if f"{description['bias']}.{part}" in tensors
        }
        record = AttentionRecord(
            query,
            key,
            value,
            lse,
            float(description["scaling"]),
            Visibility(query.shape[1], key.shape[1], *(rule.get(part) for part in VECTORS)),
            Bias(query.shape[1], **bias) if bias else None,
            bool(description["uniform_when_blind"]),
            None if softcap is None else float(softcap),
            tensors.get(f"{prefix}.sinks"),
        )
        if "given" in description:
            given = {each.name: getattr(record, each.name) for each in fields(record)}
            record = GivenPattern(**given, source=str(description["given"]))
        _check(prefix, record, has_bias=description["bias"] is not None)
        if "edited" in description:
            names = {each.name: f"{prefix}.edit.{each.name}" for each in fields(PatternEdit)}
            used |= {*names.values()}
            edit = PatternEdit(**{name: tensors[place] for name, place in names.items()})
            _must(edit.fits(record.num_heads, record.num_queries, record.num_keys), "edit")
            record = EditedRecord.of(record, edit)
        attentions[prefix] = record
    surface: Surface | None = None
    if "surface" in header:
        used.add(SURFACE)
        material = tensors[SURFACE]
        _must(material.dtype == torch.uint8 and material.dim() == 1, SURFACE)
        surface = read_surface(header["surface"], material.numpy().tobytes())
    values = {
        name: tensor
        for name, tensor in tensors.items()
        if name not in used and not name.startswith(("visibility.", "bias."))
    }
    for name in values:  # what an attention left behind belongs to one that the header names
        place, _, part = name.rpartition(".")
        of_attention = "attention" in place.rpartition(".")[2] and part in SHORT.values()
        _must(not of_attention, name)
    aliases = dict(header["aliases"])
    for name in aliases.values():
        _must(name in values, name)
    trace = Trace(
        str(header["model"]),
        header["text"],
        [Token.read(token) for token in header["tokens"]],
        [Token.read(token) for token in header["decoder_tokens"]],
        values,
        aliases,
        attentions,
        [str(each) for each in header.get("edits", [])],
        surface=surface,
        keys={
            str(part): [Token.read(token) for token in tokens]
            for part, tokens in header.get("keys", {}).items()
        },
    )
    for part, tokens in trace.keys.items():
        _must(part in trace.parts, "keys")
        _must(all(len(tokens) == each.num_keys for each in trace.layers(part).values()), "keys")
    _must(len(trace.tokens) == _num_read(trace), "tokens")
    return trace


def _num_read(trace: Trace) -> int:
    """How many tokens the (first part of the) model read. A recurrent encoder looks at nothing:
    its tokens are the keys of the decoder's attention, or what its first layer read."""
    first = next(iter(in_order(trace.attentions)), None)
    if first is not None:
        record = trace.attentions[first]
        return record.num_keys if first.endswith(".cross_attention") else record.num_queries
    streams = [address for address in in_order(trace.values) if address.endswith("embed")]
    lost = any(address.endswith(".lse") for address in trace.values)
    _must(bool(streams) and not lost, "attentions")
    return len(trace.values[streams[0]])


def _check(prefix: str, record: AttentionRecord, *, has_bias: bool) -> None:
    """That the tensors of an attention fit together, so that no cell of it fails later."""
    query, key, value, lse = record.query, record.key, record.value, record.lse
    for tensor, name in ((query, "q"), (key, "k"), (value, "v")):
        _must(tensor.dim() == 3 and tensor.is_floating_point(), f"{prefix}.{name}")
        _must(min(tensor.shape) > 0 and bool(tensor.isfinite().all()), f"{prefix}.{name}")
    _must(query.shape[0] % key.shape[0] == 0 and query.shape[2] == key.shape[2], f"{prefix}.k")
    _must(value.shape[:2] == key.shape[:2], f"{prefix}.v")
    _must(lse.shape == query.shape[:2] and not bool(lse.isnan().any()), f"{prefix}.lse")
    _must(record.softcap is None or record.softcap > 0, f"{prefix}: softcap")
    sinks = record.sinks
    _must(
        sinks is None or (sinks.shape == query.shape[:1] and bool(sinks.isfinite().all())), "sinks"
    )
    T, S = record.num_queries, record.num_keys
    lengths = {"diagonal": (T + S - 1,), "columns": (S,), "free": (T,), "dense": (T, S)}
    for rule, kind in ((record.visibility, "visibility"), (record.bias, "bias")):
        parts = [] if rule is None else vectors_of(rule)
        for part, tensor in parts:
            fits = tensor.shape[1:] == lengths[part] and tensor.shape[0] in (1, len(query))
            _must(fits and (tensor.dtype == torch.bool) == (kind == "visibility"), kind)
    named = [part for part, _ in vectors_of(record.visibility)]
    _must(named in (["diagonal", "columns", "free"], ["dense"]), f"{prefix}: visibility")
    _must(has_bias == (record.bias is not None), f"{prefix}: bias")
    _must(record.bias is None or len(vectors_of(record.bias)) == 1, f"{prefix}: bias")


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(what)
