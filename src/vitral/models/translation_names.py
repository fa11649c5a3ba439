"""The names of encoder–decoders' entries and weights in their folders.

A Transformer's folder is a MarianMTModel's. What is one number here stands there once for each
side; a folder in which the sides differ is left to transformers. Its output bias is called
`final_logits_bias` and has a dimension more, and the table of token vectors `model.shared`.

Recurrent models have a folder of their own (docs/decisions, "Recurrent models have a folder of
their own"), in which everything has the names that it has here.
"""

from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from vitral.models.recurrent import RecurrentConfig
from vitral.models.recurrent_sequence_to_sequence import RecurrentSequenceToSequenceConfig

MARIAN = "MarianMTModel"
RECURRENT: dict[str, type[Any]] = {
    "RecurrentLanguageModel": RecurrentConfig,
    "RecurrentSequenceToSequence": RecurrentSequenceToSequenceConfig,
}
RECURRENT_MODEL_TYPE = "vitral-recurrent"

_OF_NO_USE = {"intermediate_size", "num_heads", "num_key_value_heads", "epsilon", "activation"}

TRANSLATION_CONFIG: dict[str, dict[str, str]] = {
    MARIAN: {
        "vocab_size": "vocab_size",
        "decoder_vocab_size": "vocab_size",
        "max_position_embeddings": "context",
        "d_model": "hidden_size",
        "encoder_layers": "num_layers",
        "decoder_layers": "num_layers",
        "encoder_attention_heads": "num_heads",
        "decoder_attention_heads": "num_heads",
        "encoder_ffn_dim": "intermediate_size",
        "decoder_ffn_dim": "intermediate_size",
        "activation_function": "activation",
        "dropout": "dropout",
        "pad_token_id": "pad_token_id",
        "decoder_start_token_id": "decoder_start_token_id",
        "eos_token_id": "eos_token_id",
    },
    **{
        name: {each.name: each.name for each in fields(config) if each.name not in _OF_NO_USE}
        for name, config in RECURRENT.items()
    },
}

MARIAN_ENTRIES: dict[str, Any] = {
    "is_encoder_decoder": True,
    "scale_embedding": True,
    "share_encoder_decoder_embeddings": True,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "encoder_layerdrop": 0.0,
    "decoder_layerdrop": 0.0,
    "forced_eos_token_id": None,
}
"""What else its config.json says: the same of each of our Transformers."""

MARIAN_PLAIN: dict[str, tuple[Any, ...]] = {
    "scale_embedding": (True,),
    "share_encoder_decoder_embeddings": (True, None),
    "tie_word_embeddings": (True, None),
}


def _side(ours: str, theirs: str) -> dict[str, str]:
    return {
        **{f"{ours}.attention.{p}_proj": f"{theirs}.self_attn.{p}_proj" for p in "qkv"},
        f"{ours}.attention.o_proj": f"{theirs}.self_attn.out_proj",
        f"{ours}.attention_norm": f"{theirs}.self_attn_layer_norm",
        f"{ours}.mlp.up_proj": f"{theirs}.fc1",
        f"{ours}.mlp.down_proj": f"{theirs}.fc2",
        f"{ours}.mlp_norm": f"{theirs}.final_layer_norm",
    }


_CROSS = "decoder.layers.N.cross_attention"
MARIAN_WEIGHTS: dict[str, str] = {
    "embed.tokens": "model.shared",
    **_side("encoder.layers.N", "model.encoder.layers.N"),
    **_side("decoder.layers.N", "model.decoder.layers.N"),
    **{f"{_CROSS}.{p}_proj": f"model.decoder.layers.N.encoder_attn.{p}_proj" for p in "qkv"},
    f"{_CROSS}.o_proj": "model.decoder.layers.N.encoder_attn.out_proj",
    "decoder.layers.N.cross_attention_norm": "model.decoder.layers.N.encoder_attn_layer_norm",
    "head": "lm_head",
}

MARIAN_UNUSED = ("model.encoder.embed_", "model.decoder.embed_", "lm_head.")
"""Copies of the one table, and the waves, which are computed."""

_BIAS = "final_logits_bias"


def with_marian_bias(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights by their names, whose output bias got its name and shape."""
    bias = weights.pop("lm_head.bias")
    return weights | {_BIAS: bias[None]}


def without_marian_bias(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The other way round; a folder may leave a bias of zeros out."""
    rest = dict(weights)
    bias = rest.pop(_BIAS, None)
    if bias is None and "model.shared.weight" in rest:
        bias = torch.zeros(len(rest["model.shared.weight"]))
    return rest if bias is None else rest | {"lm_head.bias": bias.reshape(-1)}


def sides_differ(architecture: str, entries: dict[str, Any]) -> bool:
    """Whether a config.json says two things where we can say one (six layers here, three there);
    or names several end marks."""
    names = TRANSLATION_CONFIG.get(architecture, {})
    said: dict[str, set[Any]] = {}
    for theirs, ours in names.items():
        value = entries.get(theirs)
        if isinstance(value, list | dict):
            return True
        if value is not None:
            said.setdefault(ours, set()).add(value)
    return any(len(values) > 1 for values in said.values())
