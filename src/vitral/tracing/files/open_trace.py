"""Opening a trace on disk; `save_trace` wrote it and says what is in the file.

A file from a later Vitral, with a higher version, is refused rather than half understood. So
is one that is cut short, altered, or does not fit together: everything in it is checked here
(`header`, `fitting`), so that no view of a trace that was opened fails later.
"""

import os
from dataclasses import fields
from pathlib import Path

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
from vitral.tracing.files.fitting import (
    check_attention,
    check_rows,
    check_trace,
    check_values,
    must,
)
from vitral.tracing.files.header import AttentionEntry, Header, TokenEntry, read_header, version_of
from vitral.tracing.files.save_trace import ENTRY, SHORT, SURFACE, VECTORS, VERSION
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
            content = (file.metadata() or {})[ENTRY]
            version = version_of(content)
            if version > VERSION:
                raise VitralError(
                    "trace_version", path=str(path), version=version, supported=VERSION
                )
            header = read_header(content)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return _read(header, tensors)
    except KeyError as error:
        raise VitralError("trace_damaged", path=str(path), reason=str(error.args[0])) from error
    except (
        SafetensorError,
        OSError,
        ArithmeticError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        MemoryError,
        RuntimeError,
    ) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise VitralError("trace_damaged", path=str(path), reason=reason) from error


def _read(header: Header, tensors: dict[str, Tensor]) -> Trace:
    """The trace that header and tensors describe; KeyError or ValueError if they do not fit."""
    attentions = {}
    used: set[str] = set()
    for prefix, entry in header.attentions.items():
        record = _record(prefix, entry, tensors, used)
        check_attention(prefix, record)
        check_rows(prefix, record, entry.rows)
        attentions[prefix] = _edited(prefix, record, tensors, used) if entry.edited else record
    surface: Surface | None = None
    if header.surface is not None:
        used.add(SURFACE)
        material = tensors[SURFACE]
        must(material.dtype == torch.uint8 and material.dim() == 1, SURFACE)
        surface = read_surface(header.surface, material.numpy().tobytes())
    values = {
        name: tensor
        for name, tensor in tensors.items()
        if name not in used and not name.startswith(("visibility.", "bias."))
    }
    check_values(values)
    trace = Trace(
        header.model,
        header.text,
        [_token(token) for token in header.tokens],
        [_token(token) for token in header.decoder_tokens],
        values,
        dict(header.aliases),
        attentions,
        list(header.edits),
        surface=surface,
        apart=frozenset(header.apart),
        keys={part: [_token(token) for token in tokens] for part, tokens in header.keys.items()},
    )
    check_trace(trace, trace.apart)
    if not attentions:
        _check_recurrent(trace)
    return trace


def _record(
    prefix: str, entry: AttentionEntry, tensors: dict[str, Tensor], used: set[str]
) -> AttentionRecord:
    names = [f"{prefix}.{short}" for short in SHORT.values()]
    used |= {*names, f"{prefix}.sinks"}
    query, key, value, lse = (tensors[name] for name in names)
    must(query.dim() == key.dim() == 3, f"{prefix}.q")
    rule, added = (
        {
            part: tensors[f"{kept}.{part}"]
            for part in VECTORS
            if kept is not None and f"{kept}.{part}" in tensors
        }
        for kept in (entry.visibility, entry.bias)
    )
    must(set(rule) in ({"diagonal", "columns", "free"}, {"dense"}), f"{prefix}: visibility")
    must(bool(added) == (entry.bias is not None) and "free" not in added, f"{prefix}: bias")
    record = AttentionRecord(
        query,
        key,
        value,
        lse,
        entry.scaling,
        Visibility(query.shape[1], key.shape[1], *(rule.get(part) for part in VECTORS)),
        Bias(query.shape[1], **added) if added else None,
        entry.uniform_when_blind,
        entry.softcap,
        tensors.get(f"{prefix}.sinks"),
    )
    if entry.given is None:
        return record
    given = {each.name: getattr(record, each.name) for each in fields(record)}
    return GivenPattern(**given, source=entry.given)


def _edited(
    prefix: str, record: AttentionRecord, tensors: dict[str, Tensor], used: set[str]
) -> AttentionRecord:
    names = {each.name: f"{prefix}.edit.{each.name}" for each in fields(PatternEdit)}
    used |= {*names.values()}
    edit = PatternEdit(**{name: tensors[place] for name, place in names.items()})
    sizes = {name: tensor.dim() for name, tensor in vars(edit).items()}
    flat = {"heads": 1, "gates": 1, "scales": 1, "evens": 1, "values": 1}
    must(sizes == dict.fromkeys(sizes, 2) | flat, f"{prefix}.edit")
    must(edit.fits(record.num_heads, record.num_queries, record.num_keys), f"{prefix}.edit")
    return EditedRecord.of(record, edit)


def _token(entry: TokenEntry) -> Token:
    return Token.read(entry.model_dump(exclude_none=True))


def _check_recurrent(trace: Trace) -> None:
    """A recurrent model looks at nothing: its tokens are what its first layer read."""
    streams = [address for address in in_order(trace.values) if address.endswith("embed")]
    must(bool(streams) and len(trace.tokens) == len(trace.values[streams[0]]), "attentions")
