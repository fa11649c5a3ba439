"""Writing a trace to disk: one safetensors file, whose header says what the tensors mean.

The file's metadata has one entry, `vitral.trace`, a JSON object with `version`, the model's
name, the text, the tokens, and for each attention its scaling, which tensors its rule and bias
are made of, and whether its rows add up to one (`rows`). Tensors go by their addresses
("layers.5.attention.q", "layers.5.mlp.out"); rules that layers share are written once. No pattern
is stored: the file too grows with the text's length, not with its square. Any safetensors reader
opens it.

A file says the lowest version that understands it: 7 where a part reads something else than the
tokens (`apart`) or has keys that are none of its queries (a learned prefix, `keys`), or where two
texts were read together (`segment`), 6 where tokens lie on something else than a text (a picture,
whose PNG is a tensor of bytes, `surface`), 5 where attention is between two texts only or there is
none, 4 where the model was edited, 3 where patterns were given (they are kept as scores), 2 where
scores are capped or rows have sinks, else 1.
"""

import json
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vitral.surfaces.text import TextSurface
from vitral.tracing.attention.edited_record import EditedRecord
from vitral.tracing.attention.given_pattern import GivenPattern
from vitral.tracing.attention.visibility import Bias, Visibility
from vitral.tracing.files.row_sums import rows_of
from vitral.tracing.files.tensor_file import write_tensors
from vitral.tracing.side_tokens import parts_apart

if TYPE_CHECKING:
    from vitral.tracing.trace import Trace

VERSION = 7
"""The most recent form of the file that this Vitral writes and reads."""

SURFACE = "surface"
"""The tensor of bytes that a surface cannot put into JSON: a picture's PNG."""

ENTRY = "vitral.trace"
"""The entry of the file's metadata that says what the tensors mean."""

SHORT = {"query": "q", "key": "k", "value": "v", "lse": "lse"}
"""The tensors of an attention, and the last words of their addresses."""

VECTORS = ("diagonal", "columns", "free", "dense")
"""What a rule of who sees whom, or a bias, may be made of."""


def save_trace(trace: "Trace", path: Path) -> None:
    """Write a trace; a file of that name is replaced only when the new one is complete."""
    tensors = {address: value.detach() for address, value in trace.values.items()}
    rules: dict[tuple[int, ...], str] = {}
    attentions = {}
    for prefix, record in trace.attentions.items():
        for name in ("query", "key", "value", "lse"):
            tensors[f"{prefix}.{SHORT[name]}"] = getattr(record, name)
        if record.sinks is not None:
            tensors[f"{prefix}.sinks"] = _packed(record.sinks)
        attentions[prefix] = {
            "scaling": record.scaling,
            "uniform_when_blind": record.uniform_when_blind,
            "visibility": _write_rule(record.visibility, "visibility", rules, tensors),
            "bias": _write_rule(record.bias, "bias", rules, tensors) if record.bias else None,
            "rows": rows_of(record),
        }
        if record.softcap is not None:
            attentions[prefix]["softcap"] = record.softcap
        if isinstance(record, GivenPattern):
            attentions[prefix]["given"] = record.source
        if isinstance(record, EditedRecord):
            for name, tensor in vars(record.change).items():
                tensors[f"{prefix}.edit.{name}"] = _packed(tensor)
            attentions[prefix]["edited"] = True
    header = {
        "version": _version(trace),
        "model": trace.model,
        "text": trace.text,
        "tokens": [token.entries() for token in trace.tokens],
        "decoder_tokens": [token.entries() for token in trace.decoder_tokens],
        "aliases": trace.aliases,
        "attentions": attentions,
    }
    apart = parts_apart(trace)
    if apart:
        header["apart"] = apart
    if trace.keys:
        header["keys"] = {
            part: [token.entries() for token in tokens] for part, tokens in trace.keys.items()
        }
    if trace.edits:
        header["edits"] = trace.edits
    if trace.surface is not None and not isinstance(trace.surface, TextSurface):
        header["surface"] = trace.surface.entries()
        tensors[SURFACE] = _of_bytes(trace.surface.material or b"")
    metadata = {ENTRY: json.dumps(header, ensure_ascii=False)}
    path = Path(path)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            write_tensors(file, tensors, metadata)
            file.close()
            os.chmod(file.name, 0o666 & ~_umask())
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def _version(trace: "Trace") -> int:
    """The lowest version that understands the file."""
    records = trace.attentions.values()
    paired = any(token.segment is not None for token in trace.tokens)
    if trace.keys or paired or parts_apart(trace):
        return 7
    if trace.surface is not None and not isinstance(trace.surface, TextSurface):
        return 6
    if not records or trace.first_part == "cross":
        return 5
    if trace.edits or any(isinstance(each, EditedRecord) for each in records):
        return 4
    if any(isinstance(each, GivenPattern) for each in records):
        return 3
    varied = any(each.softcap is not None or each.sinks is not None for each in records)
    return 2 if varied else 1


def vectors_of(rule: Visibility | Bias) -> list[tuple[str, Tensor]]:
    found = ((part, getattr(rule, part, None)) for part in VECTORS)
    return [(part, tensor) for part, tensor in found if tensor is not None]


def _write_rule(
    rule: Visibility | Bias,
    kind: str,
    written: dict[tuple[int, ...], str],
    tensors: dict[str, Tensor],
) -> str:
    """Put a rule's tensors among the others, unless the same are there; returns its name."""
    parts = vectors_of(rule)
    identity = tuple(hash((part, tensor.shape, _bytes(tensor))) for part, tensor in parts)
    if identity not in written:
        written[identity] = f"{kind}.{len(written)}"
        for part, tensor in parts:
            tensors[f"{written[identity]}.{part}"] = _packed(tensor)
    return written[identity]


def _bytes(tensor: Tensor) -> bytes:
    return _packed(tensor).view(torch.uint8).numpy().tobytes()


def _packed(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


def _of_bytes(content: bytes) -> Tensor:
    return torch.frombuffer(bytearray(content), dtype=torch.uint8)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
