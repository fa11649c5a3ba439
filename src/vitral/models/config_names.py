"""The entries of config.json: their names there and in our configurations, form by form.

Where several of theirs have one name here (the places of dropout), all of them are written with
our one value, and the last one is read.
"""

from typing import Any

from vitral.models.translation_names import (
    MARIAN,
    MARIAN_ENTRIES,
    MARIAN_PLAIN,
    RECURRENT,
    RECURRENT_MODEL_TYPE,
    TRANSLATION_CONFIG,
)

_ENCODER = {
    "vocab_size": "vocab_size",
    "max_position_embeddings": "context",
    "hidden_size": "hidden_size",
    "num_hidden_layers": "num_layers",
    "num_attention_heads": "num_heads",
    "intermediate_size": "intermediate_size",
    "layer_norm_eps": "epsilon",
    "hidden_act": "activation",
    "type_vocab_size": "num_segments",
    "attention_probs_dropout_prob": "dropout",
    "hidden_dropout_prob": "dropout",
}

CONFIG_NAMES: dict[str, dict[str, str]] = {
    "GPT2LMHeadModel": {
        "vocab_size": "vocab_size",
        "n_positions": "context",
        "n_embd": "hidden_size",
        "n_layer": "num_layers",
        "n_head": "num_heads",
        "n_inner": "intermediate_size",
        "layer_norm_epsilon": "epsilon",
        "activation_function": "activation",
        "embd_pdrop": "dropout",
        "attn_pdrop": "dropout",
        "resid_pdrop": "dropout",
    },
    "LlamaForCausalLM": {
        "vocab_size": "vocab_size",
        "max_position_embeddings": "context",
        "hidden_size": "hidden_size",
        "num_hidden_layers": "num_layers",
        "num_attention_heads": "num_heads",
        "num_key_value_heads": "num_key_value_heads",
        "head_dim": "head_size",
        "intermediate_size": "intermediate_size",
        "rms_norm_eps": "epsilon",
        "hidden_act": "activation",
        "tie_word_embeddings": "tied_embeddings",
        "attention_bias": "attention_bias",
        "mlp_bias": "mlp_bias",
        "attention_dropout": "dropout",
    },
    "BertForMaskedLM": _ENCODER,
    "BertForPreTraining": _ENCODER,
    "RobertaForMaskedLM": _ENCODER | {"pad_token_id": "pad_token_id"},
    "AlbertForMaskedLM": _ENCODER | {"embedding_size": "embedding_size"},
    **TRANSLATION_CONFIG,
}
"""Ours, on the right, by their names in config.json."""

MODEL_TYPES = {
    "GPT2LMHeadModel": "gpt2",
    "LlamaForCausalLM": "llama",
    "BertForMaskedLM": "bert",
    "BertForPreTraining": "bert",
    "RobertaForMaskedLM": "roberta",
    "AlbertForMaskedLM": "albert",
    MARIAN: "marian",
    **dict.fromkeys(RECURRENT, RECURRENT_MODEL_TYPE),
}

_PLAIN_ENCODER: dict[str, tuple[Any, ...]] = {
    "position_embedding_type": ("absolute", None),
    "is_decoder": (False, None),
    "add_cross_attention": (False, None),
    "tie_word_embeddings": (True, None),
}
PLAIN: dict[str, dict[str, tuple[Any, ...]]] = {
    "GPT2LMHeadModel": {
        "scale_attn_weights": (True, None),
        "scale_attn_by_inverse_layer_idx": (False, None),
        "add_cross_attention": (False, None),
        "tie_word_embeddings": (True, None),
    },
    "LlamaForCausalLM": {"rope_scaling": (None,), "pretraining_tp": (1, None)},
    "BertForMaskedLM": _PLAIN_ENCODER,
    "BertForPreTraining": _PLAIN_ENCODER,
    "RobertaForMaskedLM": _PLAIN_ENCODER,
    "AlbertForMaskedLM": _PLAIN_ENCODER
    | {"num_hidden_groups": (1, None), "inner_group_num": (1, None)},
    MARIAN: MARIAN_PLAIN,
    **{form: {} for form in RECURRENT},
}
"""What would change the arithmetic and is not built here: such a model goes to transformers."""


def shape_of(architecture: str, entries: dict[str, Any]) -> dict[str, Any]:
    """What a config.json says of a model's shape, by our names; entries that are null are not
    said."""
    shape = {
        ours: entries[theirs]
        for theirs, ours in CONFIG_NAMES[architecture].items()
        if entries.get(theirs) is not None
    }
    if architecture == "GPT2LMHeadModel" and "hidden_size" in shape:
        shape.setdefault("intermediate_size", 4 * shape["hidden_size"])
    if architecture == "LlamaForCausalLM":
        rope = entries.get("rope_parameters") or {}
        shape["rope_base"] = float(rope.get("rope_theta", entries.get("rope_theta", 10_000.0)))
        shape.setdefault("tied_embeddings", False)
    if architecture == "BertForPreTraining":
        shape["next_sentence"] = True
    if architecture == "RobertaForMaskedLM":
        shape = {"context": 512, "num_segments": 2, "pad_token_id": 1, "epsilon": 1e-12} | shape
        shape["context"] -= shape["pad_token_id"] + 1  # see models.roberta
    if "num_heads" in shape:
        shape.setdefault("num_key_value_heads", shape["num_heads"])
    return shape


def entries_of(config: Any) -> dict[str, Any]:
    """One of our configurations as the entries of a config.json."""
    architecture: str = config.architecture
    entries: dict[str, Any] = {
        "architectures": [architecture],
        "model_type": MODEL_TYPES[architecture],
    }
    entries |= {
        theirs: getattr(config, ours) for theirs, ours in CONFIG_NAMES[architecture].items()
    }
    if architecture == "LlamaForCausalLM":
        entries["rope_parameters"] = {"rope_theta": config.rope_base, "rope_type": "default"}
    elif architecture not in RECURRENT:
        entries["tie_word_embeddings"] = True
    if architecture == MARIAN:
        entries |= MARIAN_ENTRIES
    if architecture == "RobertaForMaskedLM":  # see models.roberta
        entries["max_position_embeddings"] += config.pad_token_id + 1
    if architecture == "AlbertForMaskedLM":
        entries |= {"num_hidden_groups": 1, "inner_group_num": 1}
    return entries
