"""Configurations of any architecture of transformers, shrunk until a test can afford the model.

A default configuration describes the published model; its numbers are made small by what their
names say, in it and in every configuration inside it. Numbers that have to be equal stay equal
(all widths become the same one), and those that must divide one another do. What this does not
get right by itself stands in `EXCEPTIONS`.
"""

import re
from typing import Any

HIDDEN, HEADS, HEAD_WIDTH, INNER, VOCABULARY = 64, 4, 16, 96, 128
IMAGE, PATCH, POSITIONS, EXPERTS = 32, 8, 128, 4

# The first that matches a number's name gives what it becomes; see `_shrunk`.
RULES: list[tuple[str, int]] = [
    (r"mrope|rope_section|window_size|kernel|stride|dilation|temporal_patch|frames|hop|ratio", 0),
    (r"num_experts_per|experts_per_tok|top_?k|moe_k", 2),
    (r"n_group|topk_group|num_expert_group", 1),
    (r"(num|n)_.*experts|num_experts|moe_num", EXPERTS),
    (r"shared_expert.*size|moe_.*(size|dim)|expert.*(size|dim)", INNER),
    (r"(qk_)?rope_head_dim|rotary_dim", 8),
    (r"nope_head_dim", 16),
    (r"head_dim|d_kv|head_size|dim_head|v_head|kv_channels|attention_key_size", HEAD_WIDTH),
    (r"(num|n)_.*(key_value|kv)_(heads|groups)|num_kv|multi_query_group", -2),
    (r"heads|n_head|num_head", HEADS),
    (r"vocab_size|num_embeddings|codebook_size|n_vocab|vocabulary_size", VOCABULARY),
    (r"lora_rank|q_lora|kv_lora|_rank$", 16),
    (r"image_size|img_size|input_size|crop_size", IMAGE),
    (r"patch_size", PATCH),
    (r"max_.*position|n_positions|max_seq|n_ctx|max_length|seq_len", POSITIONS),
    (r"num_mel_bins|n_mels|feature_size", 16),
    (r"intermediate|ffn|inner|feed_?forward|d_ff|mlp_dim|mlp_hidden|n_inner|filter_size", INNER),
    (r"num_hidden_groups|num_conv_layers|num_feat", 0),
    (r"num_queries|num_query|num_object_queries|num_latents|num_prompts", 8),
    (r"layers$|n_layer|num_layer|num_blocks|depth$|num_hidden|_blocks$|n_blocks", 2),
    (r"hidden|d_model|n_embd|embed|channels|width|_dim$|^dim$|dim$|size$|d_embed|d_state", HIDDEN),
]

_WINDOWED: dict[str, Any] = {"window_size": 4, "depths": [2, 2], "num_heads": [2, 2]}

# By model type: entries that replace what the rules give.
EXCEPTIONS: dict[str, dict[str, Any]] = {
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "jamba": {"attn_layer_offset": 1, "attn_layer_period": 2, "expert_layer_offset": 1},
    "autoformer": {"prediction_length": 8, "context_length": 16, "moving_average": 5},
    "informer": {"prediction_length": 8, "context_length": 16},
    "time_series_transformer": {"prediction_length": 8, "context_length": 16},
    "reformer": {"axial_pos_embds_dim": [32, 32], "axial_pos_shape": [8, 16]},
    "bamba": {"attn_layer_indices": [1]},
    "granitemoehybrid": {"layer_types": ["mamba", "attention"], "num_hidden_layers": 2},
    "led": {"max_encoder_position_embeddings": 128, "attention_window": [8, 8]},
    "longformer": {"attention_window": [8, 8]},
    "mamba2": {"num_heads": 8, "head_dim": 16},
    "deepseek_v2": {"num_experts_per_tok": 2},
    "swin": _WINDOWED,
    "swinv2": _WINDOWED,
    "donut-swin": _WINDOWED,
    "maskformer-swin": _WINDOWED,
}

# What a configuration leaves open and a model cannot do without; tried where it is missing.
WHERE_MISSING: dict[str, Any] = {
    "head_dim": HEAD_WIDTH,
    "num_experts_per_tok": 2,
    "num_key_value_heads": 2,
    "vocab_size": VOCABULARY,
    "pad_token_id": 0,
    "n_group": 1,
    "topk_group": 1,
    "n_routed_experts": EXPERTS,
    "n_shared_experts": 1,
    "num_attention_heads": HEADS,
    "mlp_bias": False,
    "layer_types": ["full_attention", "full_attention"],
}


def tiny(config_class: type, model_type: str, fill: bool = False) -> Any:
    """A small configuration of that class; raises whatever the class raises.

    `fill` sets what it leaves open.
    """
    default = config_class()
    return _rebuilt(default, EXCEPTIONS.get(model_type, {}), fill)


def _rebuilt(default: Any, exceptions: dict[str, Any] | None = None, fill: bool = False) -> Any:
    """The same configuration with small numbers, and small configurations within it."""
    entries: dict[str, Any] = {}
    for name, value in vars(default).items():
        if name.startswith("_") or name in ("transformers_version", "dtype", "model_type"):
            continue
        entries[name] = _of(name, value, fill)
        if fill and value is None and name in WHERE_MISSING:
            entries[name] = WHERE_MISSING[name]
    rotations = getattr(default, "rope_parameters", None)
    if isinstance(rotations, dict) and not any(
        isinstance(each, dict) for each in rotations.values()
    ):
        entries["rope_parameters"] = _rotary(rotations, getattr(default, "model_type", ""))
    _agree(entries, default)
    for name, value in (exceptions or {}).items():
        entries[name] = value
    changed = {name: value for name, value in entries.items() if value is not _KEEP}
    return type(default)(**changed)


class _Keep:
    pass


_KEEP = _Keep()


def _of(name: str, value: Any, fill: bool) -> Any:
    if hasattr(value, "to_dict"):
        return _rebuilt(value, None, fill)
    if isinstance(value, bool) or value is None or isinstance(value, str | float):
        return _KEEP
    if isinstance(value, int):
        small = _shrunk(name, value)
        return _KEEP if small == value else small
    if isinstance(value, dict):
        if any(hasattr(each, "to_dict") for each in value.values()):
            return {key: _of(key, each, fill) for key, each in value.items()}
        return _KEEP
    if isinstance(value, list | tuple) and value and all(type(each) is int for each in value):
        if re.search(r"heads", name):
            return [2 for _ in value]
        if name == "image_size":
            return [min(each, IMAGE) for each in value]
        if name == "depths":
            return [min(each, 2) for each in value]
    return _KEEP


def _rotary(value: dict[str, Any], model_type: str) -> Any:
    """Rotations shared out among time, height and width: as many in all as half a head has."""
    sections = value.get("mrope_section")
    if not sections and not re.search(r"vl|glm|omni|4v", model_type):
        return _KEEP
    shares = {2: [4, 4], 3: [2, 3, 3], 4: [2, 2, 2, 2]}
    return value | {"mrope_section": shares.get(len(sections or "   "), sections)}


def _shrunk(name: str, value: int) -> int:
    if re.search(r"(token|_id$|_ids$|_index$)", name) and "num" not in name:
        return value
    for pattern, small in RULES:
        if re.search(pattern, name):
            if small == -2:
                return value if value < 2 else 2
            return min(value, small) if small else value
    return value


def _agree(entries: dict[str, Any], default: Any) -> None:
    """Lists and special ids, which depend on the numbers above."""

    def number(*names: str) -> int | None:
        for name in names:
            value = entries.get(name, _KEEP)
            value = getattr(default, name, None) if value is _KEEP else value
            if isinstance(value, int):
                return value
        return None

    heads = number("num_attention_heads", "n_head", "num_heads")
    groups = vars(default).get("num_key_value_heads")
    if isinstance(groups, int) and groups == getattr(default, "num_attention_heads", None):
        entries["num_key_value_heads"] = heads
    rotated = number("qk_rope_head_dim")
    if rotated is not None and hasattr(default, "head_dim"):
        entries["head_dim"] = rotated
    if rotated is not None and hasattr(default, "qk_head_dim"):
        entries["qk_head_dim"] = rotated + (number("qk_nope_head_dim") or 0)
    vocabulary = number("vocab_size")
    if vocabulary is not None:
        taken = 3
        for name, value in vars(default).items():
            is_id = re.search(r"(token|_id$|_index$)", name) and isinstance(value, int)
            if is_id and not isinstance(value, bool) and value >= vocabulary:
                entries[name] = taken
                taken += 1
    layers = number("num_hidden_layers", "n_layer", "num_layers")
    for name, value in vars(default).items():
        if name == "layer_types" and isinstance(value, list) and layers is not None:
            kinds = list(dict.fromkeys(value))
            chosen = (kinds + kinds)[: max(2, len(kinds))]
            entries[name] = chosen
            entries["num_hidden_layers"] = len(chosen)
