"""The architectures that a GGUF file can hold, and what llama.cpp computes for each.

A GGUF file names an architecture; llama.cpp has one computation for it, with few choices. Where a
model differs from that computation (another activation, a window that llama.cpp does not apply),
no entry of the file could say so, and the model would write something else. Vitral refuses such a
model and names the entry.

To add one, put a line in `ARCHITECTURES` and a model of it in
`tests/exporting/test_gguf_file.py`, which compares its greedy text with llama.cpp's.

Shapes: O a map's outputs, H heads, D a head's size.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from vitral.errors import VitralError

Entries = Mapping[str, Any]

_QUERY_KEY_VALUE = ("attn_q", "attn_k", "attn_v")
_TANH_GELU = ("gelu_pytorch_tanh", "gelu_new", None)


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """One of llama.cpp's computations.

    `name` is GGUF's name of it. `only` are the entries of config.json for which it has one
    computation, with the values that mean that one (None: not said). `biased` are the maps that
    may have a bias, by GGUF's names; `unit_norms` says that norms multiply by 1 + weight, which is
    stored as a sum; `pairs` that rotary positions turn neighbouring components, so that queries
    and keys are stored in that order; `refused` finds what `only` cannot say.
    """

    name: str
    only: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    biased: tuple[str, ...] = ()
    unit_norms: bool = False
    pairs: bool = False
    rotary: bool = True
    refused: Callable[[Entries], str | None] = lambda entries: None

    def check(self, entries: Entries, model: str) -> None:
        """Raises VitralError `gguf_cannot_hold` for an entry that llama.cpp does not follow."""
        found = [
            f"{name}: {entries[name]!r}"
            for name, values in self.only.items()
            if entries.get(name) is not None and entries[name] not in values
        ]
        wrong = found or [each for each in (self.refused(entries), _rope(entries)) if each]
        if wrong:
            raise VitralError("gguf_cannot_hold", model=model, what=wrong[0], name=self.name)

    def arranged(self, name: str, weight: Tensor, entries: Entries) -> Tensor:
        """A weight, called `name` in GGUF, in the order in which llama.cpp reads it."""
        if self.unit_norms and name.endswith("norm.weight"):
            return weight + 1
        part = name.rsplit(".", 2)[-2]
        if self.pairs and part in ("attn_q", "attn_k"):
            heads = entries["num_attention_heads"]
            if part == "attn_k":
                heads = entries.get("num_key_value_heads") or heads
            return _neighbours(weight, heads)
        return weight


def _neighbours(weight: Tensor, num_heads: int) -> Tensor:
    """[O, …] with the two components that are turned together side by side: transformers pairs
    the first half of a head with its second half, [H, 2, D/2]."""
    size = len(weight) // num_heads
    halves = weight.reshape(num_heads, 2, size // 2, *weight.shape[1:])
    return halves.transpose(1, 2).reshape(weight.shape)


def head_size(entries: Entries) -> int:
    """Components of a head's query."""
    whole: int = entries["hidden_size"] // entries["num_attention_heads"]
    return entries.get("head_dim") or whole


def rope_of(entries: Entries) -> dict[str, Any]:
    """What config.json says of rotary positions, as transformers 5 writes it or as older ones."""
    said = dict(entries.get("rope_parameters") or entries.get("rope_scaling") or {})
    if isinstance(said.get("full_attention"), dict):
        said = dict(said["full_attention"])
    said.setdefault("rope_theta", entries.get("rope_theta") or 10_000.0)
    said["rope_type"] = said.get("rope_type") or said.get("type") or "default"
    return said


def _rope(entries: Entries) -> str | None:
    if "num_attention_heads" not in entries:  # GPT-2 has position vectors
        return None
    said = rope_of(entries)
    if said["rope_type"] not in ("default", "linear", "llama3"):
        return f"rope_type: {said['rope_type']!r}"
    share = said.get("partial_rotary_factor", entries.get("partial_rotary_factor"))
    return None if share in (None, 1, 1.0) else f"partial_rotary_factor: {share}"


def rope_factors(entries: Entries) -> Tensor | None:
    """By how much Llama 3.1 slows each pair of components down [D/2] (transformers'
    `modeling_rope_utils`, rope_type "llama3"); None for other models."""
    said = rope_of(entries)
    if said["rope_type"] != "llama3":
        return None
    size = head_size(entries)
    steps = torch.arange(0, size, 2, dtype=torch.float64) / size
    wavelengths = 2 * math.pi * said["rope_theta"] ** steps
    old = said["original_max_position_embeddings"]
    low, high, factor = said["low_freq_factor"], said["high_freq_factor"], said["factor"]
    smooth = ((old / wavelengths - low) / (high - low)).clamp(0, 1)
    slower: Tensor = 1 / ((1 - smooth) / factor + smooth)
    return slower.float()


def _window_within(entries: Entries) -> str | None:
    """Of models whose window llama.cpp does not apply: one that is shorter than the context."""
    window = entries.get("sliding_window")
    if window is None or entries.get("use_sliding_window") is False:
        return None
    if window >= entries["max_position_embeddings"]:
        return None
    return f"sliding_window: {window}"


def _alternating(every: int) -> Callable[[Entries], str | None]:
    """Of Gemma 2 and 3: windows in all layers but each `every`-th, queries scaled by the size of
    a head, and Gemma 3's own base in the layers with windows."""

    def refused(entries: Entries) -> str | None:
        scale = entries.get("query_pre_attn_scalar")
        if scale is not None and scale != head_size(entries):
            return f"query_pre_attn_scalar: {scale}"
        kinds = entries.get("layer_types") or []
        for layer, kind in enumerate(kinds):
            if (kind == "full_attention") != ((layer + 1) % every == 0):
                return f"layer_types[{layer}]: {kind!r}"
        local = (entries.get("rope_parameters") or {}).get("sliding_attention")
        base = (local or {}).get("rope_theta", entries.get("rope_local_base_freq"))
        if every == 6 and base not in (None, 10_000, 10_000.0):
            return f"rope_local_base_freq: {base}"
        return "use_bidirectional_attention" if entries.get("use_bidirectional_attention") else None

    return refused


_LLAMA = {"hidden_act": ("silu", "swish"), "pretraining_tp": (1,)}
_GEMMA = {
    "hidden_act": _TANH_GELU,
    "hidden_activation": _TANH_GELU,
    "attention_bias": (False,),
    "tie_word_embeddings": (True,),
}

ARCHITECTURES: Mapping[str, Architecture] = {
    "LlamaForCausalLM": Architecture(
        name="llama",
        only=_LLAMA,
        pairs=True,
        biased=(*_QUERY_KEY_VALUE, "attn_output", "ffn_gate", "ffn_up", "ffn_down"),
    ),
    "MistralForCausalLM": Architecture(
        name="llama", only=_LLAMA, pairs=True, refused=_window_within
    ),
    "Qwen2ForCausalLM": Architecture(
        name="qwen2", only=_LLAMA, biased=_QUERY_KEY_VALUE, refused=_window_within
    ),
    "Qwen3ForCausalLM": Architecture(
        name="qwen3", only=_LLAMA | {"attention_bias": (False,)}, refused=_window_within
    ),
    "GPT2LMHeadModel": Architecture(
        name="gpt2",
        only={
            "activation_function": _TANH_GELU,
            "scale_attn_weights": (True,),
            "scale_attn_by_inverse_layer_idx": (False,),
            "add_cross_attention": (False,),
        },
        biased=(
            *("attn_norm", "attn_qkv", "attn_output"),
            *("ffn_norm", "ffn_up", "ffn_down", "output_norm"),
        ),
        rotary=False,
    ),
    "GemmaForCausalLM": Architecture(name="gemma", only=_GEMMA, unit_norms=True),
    "Gemma2ForCausalLM": Architecture(
        name="gemma2", only=_GEMMA, unit_norms=True, refused=_alternating(2)
    ),
    "Gemma3ForCausalLM": Architecture(
        name="gemma3",
        only=_GEMMA | {"attn_logit_softcapping": ()},
        unit_norms=True,
        refused=_alternating(6),
    ),
}
"""By the class of transformers' that a model is."""


def architecture_named(architecture: str, model: str) -> Architecture:
    """llama.cpp's computation for a class of transformers'.

    Raises VitralError `gguf_no_architecture`, with those that there are.
    """
    if architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise VitralError(
            "gguf_no_architecture", model=model, architecture=architecture, known=known
        )
    return ARCHITECTURES[architecture]
