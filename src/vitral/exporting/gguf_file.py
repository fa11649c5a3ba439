"""Writing a decoder as a GGUF file, which llama.cpp and the programs made of it open.

    vitral.load("vitral-es-gpt").export("vitral-es-gpt.gguf", precision="q8_0")

The format is that of https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, and the `gguf`
package writes it. Tables of numbers (maps, token vectors) are stored in the `precision` that is
asked for; vectors (norms, biases) always as float32, as llama.cpp expects.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.exporting.formats import check
from vitral.exporting.gguf_architecture import (
    Architecture,
    architecture_named,
    head_size,
    rope_factors,
    rope_of,
)
from vitral.exporting.gguf_tokenizer import GGUFTokenizer, gguf_tokenizer
from vitral.models.forms import form_of
from vitral.models.generation_settings import end_ids

if TYPE_CHECKING:
    import gguf

BLOCK = 32
"""Numbers of a row that q8_0 stores together. Rows of other lengths are stored as f16."""

_LARGEST_F16 = 65_504.0


@dataclass(frozen=True)
class Exported:
    """What was written: the file, its size, how its tables are stored, and which of them are
    stored as f16 because q8_0 cannot hold rows of their length. `notes` are
    keys of messages, without the "export." before them."""

    path: Path
    num_bytes: int
    precision: str
    kept_f16: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)


def export_gguf(
    module: nn.Module,
    tokenizer: Any,
    path: Path,
    *,
    name: str,
    precision: str = "f16",
    chat_template: str | None = None,
) -> Exported:
    """Write a decoder and its tokenizer to `path`, whole or not at all.

    Raises VitralError `gguf_needed`, `precision_unknown`, `gguf_no_architecture`,
    `gguf_cannot_hold`, `gguf_tokenizer`, `tokenizer_missing`, `gguf_too_large_for_f16`,
    `file_unwritable`.
    """
    check("gguf", precision)
    try:
        import gguf
    except ImportError as error:
        raise VitralError("gguf_needed") from error
    entries = _entries(module)
    architecture = architecture_named(_class_of(module, entries), name)
    architecture.check(entries, name)
    weights = _weights(module)
    named = dict(_gguf_names(architecture, entries, weights, name))
    num_tokens = len(weights[named["token_embd.weight"]])
    cut = gguf_tokenizer(tokenizer, num_tokens, name)
    ends = sorted(end_ids(module, tokenizer))
    if len(ends) > 3:
        raise VitralError("gguf_cannot_hold", model=name, what=f"eos_token_id: {ends}", name="GGUF")
    kept: list[str] = []
    writer = gguf.GGUFWriter(None, architecture.name)
    writer.add_name(name)
    writer.add_file_type(getattr(gguf.LlamaFileType, _FILE_TYPES[precision]))
    _add_shape(writer, architecture, entries)
    _add_tokenizer(writer, cut, ends, chat_template)
    factors = rope_factors(entries) if architecture.rotary else None
    if factors is not None:
        writer.add_tensor("rope_freqs.weight", factors.numpy())
    for target, source in named.items():
        weight = _as_map(architecture, source, weights[source])
        weight = architecture.arranged(target, weight.detach().float().cpu(), entries)
        _add_tensor(writer, target, weight.contiguous(), precision, kept)
    _write(writer, path)
    return Exported(path, path.stat().st_size, precision, tuple(kept), cut.notes)


_FILE_TYPES = {
    "f32": "ALL_F32",
    "f16": "MOSTLY_F16",
    "bf16": "MOSTLY_BF16",
    "q8_0": "MOSTLY_Q8_0",
}


def _entries(module: nn.Module) -> dict[str, Any]:
    """The entries of the config.json that the model has, or would be saved with."""
    form = form_of(module)
    config: Any = getattr(module, "config", None)
    if form is not None:
        return form.folder.entries_of(config)
    return dict(config.to_dict()) if hasattr(config, "to_dict") else {}


def _class_of(module: nn.Module, entries: Mapping[str, Any]) -> str:
    named = entries.get("architectures") or [type(module).__name__]
    return str(named[0]) if form_of(module) is not None else type(module).__name__


def _weights(module: nn.Module) -> dict[str, Tensor]:
    """The weights by transformers' names; one that stands in two places once."""
    form = form_of(module)
    weights: dict[str, Tensor] = dict(module.named_parameters())
    return form.folder.to_folder(weights) if form is not None else weights


def _gguf_names(
    architecture: Architecture,
    entries: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    model: str,
) -> Iterator[tuple[str, str]]:
    """GGUF's name of every weight, and transformers'.

    Raises VitralError `gguf_cannot_hold` for a weight that llama.cpp has no place for, or that is
    not of numbers with a point (a quantized one), or not in memory.
    """
    import gguf

    kind = {name: each for each, name in gguf.MODEL_ARCH_NAMES.items()}[architecture.name]
    num_layers = entries.get("num_hidden_layers") or entries["n_layer"]
    names = gguf.get_tensor_name_map(kind, num_layers)
    for source, weight in weights.items():
        target = names.get_name(source, try_suffixes=(".weight", ".bias"))
        part = "" if target is None else target.rsplit(".", 2)[-2]
        held = weight.is_floating_point() and not weight.is_meta
        if (
            target is None
            or not held
            or (target.endswith("bias") and part not in architecture.biased)
        ):
            what = f"{source} ({str(weight.dtype).removeprefix('torch.')})"
            raise VitralError("gguf_cannot_hold", model=model, what=what, name=architecture.name)
        yield target, source


def _as_map(architecture: Architecture, source: str, weight: Tensor) -> Tensor:
    """[out, in]: GPT-2's maps are stored the other way round."""
    turned = architecture.name == "gpt2" and ".c_" in source and weight.ndim == 2
    return weight.T if turned else weight


def _add_shape(
    writer: "gguf.GGUFWriter", architecture: Architecture, entries: Mapping[str, Any]
) -> None:
    """The model's shape under llama.cpp's keys."""
    if not architecture.rotary:
        width = entries["n_embd"]
        writer.add_block_count(entries["n_layer"])
        writer.add_context_length(entries["n_positions"])
        writer.add_embedding_length(width)
        writer.add_feed_forward_length(entries.get("n_inner") or 4 * width)
        writer.add_head_count(entries["n_head"])
        writer.add_layer_norm_eps(entries["layer_norm_epsilon"])
        return
    heads, size = entries["num_attention_heads"], head_size(entries)
    writer.add_block_count(entries["num_hidden_layers"])
    writer.add_context_length(entries["max_position_embeddings"])
    writer.add_embedding_length(entries["hidden_size"])
    writer.add_feed_forward_length(entries["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(entries.get("num_key_value_heads") or heads)
    writer.add_key_length(size)
    writer.add_value_length(size)
    writer.add_layer_norm_rms_eps(entries["rms_norm_eps"])
    writer.add_rope_dimension_count(size)
    rope = rope_of(entries)
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(_linear())
        writer.add_rope_scaling_factor(rope["factor"])
    if entries.get("final_logit_softcapping"):
        writer.add_final_logit_softcapping(entries["final_logit_softcapping"])
    if entries.get("attn_logit_softcapping"):
        writer.add_attn_logit_softcapping(entries["attn_logit_softcapping"])
    if architecture.name in ("gemma2", "gemma3") and entries.get("sliding_window"):
        writer.add_sliding_window(entries["sliding_window"])


def _linear() -> Any:
    import gguf

    return gguf.RopeScalingType.LINEAR


def _add_tokenizer(
    writer: "gguf.GGUFWriter", cut: GGUFTokenizer, ends: list[int], chat_template: str | None
) -> None:
    writer.add_vocab_size(len(cut.tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(cut.pre)
    writer.add_token_list(cut.tokens)
    writer.add_token_types(cut.types)
    # The array may not be empty; two bytes that no token joins stay two.
    writer.add_token_merges(cut.merges or [f"{cut.tokens[-1]} {cut.tokens[-1]}"])
    writer.add_add_bos_token(cut.first is not None)
    writer.add_add_eos_token(cut.last is not None)
    first = cut.first if cut.first is not None else next(iter(ends), None)
    if first is not None:
        writer.add_bos_token_id(first)
    for number, add in zip(
        ends,
        (writer.add_eos_token_id, writer.add_eot_token_id, writer.add_eom_token_id),
        strict=False,
    ):
        add(number)
    if chat_template is not None:
        writer.add_chat_template(chat_template)


def _add_tensor(
    writer: "gguf.GGUFWriter", name: str, weight: Tensor, precision: str, kept: list[str]
) -> None:
    """One weight as it is stored. Raises VitralError `gguf_too_large_for_f16`."""
    import gguf

    if weight.ndim < 2 or precision == "f32" or name == "position_embd.weight":
        writer.add_tensor(name, weight.numpy())
        return
    if precision == "q8_0" and weight.shape[-1] % BLOCK:
        kept.append(name)
        precision = "f16"
    if precision == "f16":
        if float(weight.abs().max()) > _LARGEST_F16:
            raise VitralError("gguf_too_large_for_f16", weight=name, largest=_LARGEST_F16)
        writer.add_tensor(name, weight.to(torch.float16).numpy())
        return
    kind = gguf.GGMLQuantizationType.BF16 if precision == "bf16" else gguf.GGMLQuantizationType.Q8_0
    writer.add_tensor(name, gguf.quants.quantize(weight.numpy(), kind), raw_dtype=kind)


def _write(writer: "gguf.GGUFWriter", path: Path) -> None:
    """Write the file beside its place, and put it there when it is whole."""
    temporary: Path | None = None
    try:
        handle, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        temporary = Path(made)
        writer.write_header_to_file(path=temporary)
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file(progress=False)
        writer.close()
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise VitralError("file_unwritable", path=path, reason=error.strerror) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
