"""The names of weights: ours and Hugging Face's, for each of our forms.

`layers.3.attention.q_proj.weight` here is `model.layers.3.self_attn.q_proj.weight` in a Llama
folder and the first third of `transformer.h.3.attn.c_attn.weight`, transposed, in a GPT-2 one.
"""

import re
from pathlib import Path

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.models.encoder_names import DECODER_BIAS, ENCODER_NAMES, UNUSED
from vitral.models.translation_names import (
    MARIAN,
    MARIAN_UNUSED,
    MARIAN_WEIGHTS,
    RECURRENT,
    with_marian_bias,
    without_marian_bias,
)

TIED = {
    "GPT2LMHeadModel": {"head.weight": "embed.tokens.weight"},
    "LlamaForCausalLM": {"head.weight": "embed.weight"},
    **{form: {"head.decoder.weight": "embed.tokens.weight"} for form in ENCODER_NAMES},
    MARIAN: {"head.weight": "embed.tokens.weight"},
    **{form: {"head.weight": "embed.weight"} for form in RECURRENT},
}
"""Weights that are one and the same: the copy's name, and the original's."""

# Ours on the left, theirs on the right; N stands for a layer's number.
_NAMES: dict[str, dict[str, str]] = {
    "GPT2LMHeadModel": {
        "embed.tokens": "transformer.wte",
        "embed.positions": "transformer.wpe",
        "layers.N.attention_norm": "transformer.h.N.ln_1",
        "layers.N.attention.qkv_proj": "transformer.h.N.attn.c_attn",
        "layers.N.attention.o_proj": "transformer.h.N.attn.c_proj",
        "layers.N.mlp_norm": "transformer.h.N.ln_2",
        "layers.N.mlp.up_proj": "transformer.h.N.mlp.c_fc",
        "layers.N.mlp.down_proj": "transformer.h.N.mlp.c_proj",
        "norm": "transformer.ln_f",
        "head": "lm_head",
    },
    "LlamaForCausalLM": {
        "embed": "model.embed_tokens",
        "layers.N.attention_norm": "model.layers.N.input_layernorm",
        "layers.N.attention.q_proj": "model.layers.N.self_attn.q_proj",
        "layers.N.attention.k_proj": "model.layers.N.self_attn.k_proj",
        "layers.N.attention.v_proj": "model.layers.N.self_attn.v_proj",
        "layers.N.attention.o_proj": "model.layers.N.self_attn.o_proj",
        "layers.N.mlp_norm": "model.layers.N.post_attention_layernorm",
        "layers.N.mlp.gate_proj": "model.layers.N.mlp.gate_proj",
        "layers.N.mlp.up_proj": "model.layers.N.mlp.up_proj",
        "layers.N.mlp.down_proj": "model.layers.N.mlp.down_proj",
        "norm": "model.norm",
        "head": "lm_head",
    },
    **ENCODER_NAMES,
    MARIAN: MARIAN_WEIGHTS,
}
# Buffers that older files carry.
_BUFFERS = re.compile(r"(\.attn\.(masked_)?bias|position_ids|rotary_emb\.inv_freq)$")


def to_hugging_face(architecture: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our weights by the names, and in the layout, of the architecture's folders."""
    if architecture in RECURRENT:
        return weights
    if architecture == "GPT2LMHeadModel":
        weights = {name: w.T if _is_map(name) else w for name, w in _fuse_qkv(weights).items()}
    renamed = {_rename(name, _NAMES[architecture]): w for name, w in weights.items()}
    if architecture in DECODER_BIAS:
        in_file, parameter = DECODER_BIAS[architecture]
        renamed[in_file] = renamed.pop(parameter)
    return with_marian_bias(renamed) if architecture == MARIAN else renamed


def from_hugging_face(
    architecture: str, weights: dict[str, Tensor], path: Path
) -> dict[str, Tensor]:
    """The folder's weights by our names and in our layout.

    Raises `weights_damaged` (naming `path`) for a weight that no such model has.
    """
    if architecture in RECURRENT:
        return weights
    unused = MARIAN_UNUSED if architecture == MARIAN else UNUSED.get(architecture, ())
    weights = {
        name: weight
        for name, weight in weights.items()
        if not _BUFFERS.search(name) and not name.startswith(unused)
    }
    if architecture == "GPT2LMHeadModel":
        # The first published files leave out the prefix.
        weights = {
            name if name.startswith(("transformer.", "lm_head.")) else f"transformer.{name}": w
            for name, w in weights.items()
        }
    if architecture == MARIAN:
        weights = without_marian_bias(weights)
    if architecture in DECODER_BIAS:
        in_file, parameter = DECODER_BIAS[architecture]
        if in_file in weights:
            weights[parameter] = weights.pop(in_file)
        legacy = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
        for old, new in legacy.items():
            weights = {name.replace(old, new): w for name, w in weights.items()}
    back = {theirs: ours for ours, theirs in _NAMES[architecture].items()}
    renamed = {}
    for name, weight in weights.items():
        ours = _rename(name, back)
        if not ours:
            raise VitralError("weights_damaged", path=path, reason=f"{name} is not expected")
        renamed[ours] = weight
    if architecture == "GPT2LMHeadModel":
        renamed = _split_qkv({n: w.T if _is_map(n) else w for n, w in renamed.items()})
    return renamed


def _rename(name: str, names: dict[str, str]) -> str:
    """`name` with its module part renamed; empty if the module is not in `names`."""
    module, _, parameter = name.rpartition(".")
    number = re.search(r"\.(\d+)\.", module)
    general = re.sub(r"\.\d+\.", ".N.", module, count=1)
    renamed = names.get(general, "")
    if number:
        renamed = renamed.replace(".N.", f".{number[1]}.")
    return f"{renamed}.{parameter}" if renamed else ""


def _is_map(name: str) -> bool:
    return name.endswith("proj.weight")


def _fuse_qkv(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """q_proj, k_proj and v_proj of each layer as one qkv_proj, rows one after the other."""
    fused: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if ".q_proj." in name:
            parts = [weights[name.replace(".q_proj.", f".{p}_proj.")] for p in "qkv"]
            fused[name.replace(".q_proj.", ".qkv_proj.")] = torch.cat(parts)
        elif ".k_proj." not in name and ".v_proj." not in name:
            fused[name] = weight
    return fused


def _split_qkv(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    split: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if ".qkv_proj." in name:
            for letter, part in zip("qkv", weight.chunk(3), strict=True):
                split[name.replace(".qkv_proj.", f".{letter}_proj.")] = part
        else:
            split[name] = weight
    return split
