"""Small models of every architecture that a GGUF file holds, lively enough to write something."""

from typing import Any

import torch
import transformers
from tokenizers import Tokenizer
from torch import nn

from vitral.text.tokenizers import train_tokenizer

TEXT = "El perro que persiguió al gato cruzó la calle. ¿Quién llamó? 123 años, y no sé más. "
_BASE: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 96,
    "max_position_embeddings": 128,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "pad_token_id": 0,
}
_GEMMA = _BASE | {"head_dim": 32, "query_pre_attn_scalar": 32, "sliding_window": 16}
_LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 5e3,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
_LINEAR = {"rope_type": "linear", "rope_theta": 5e3, "factor": 4.0}
_GPT2 = {"vocab_size": 300, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 128}
_GPT2 |= {"n_inner": 96, "bos_token_id": 0, "eos_token_id": 0}

NORMS = ("norm.weight", "ln_1.weight", "ln_2.weight", "ln_f.weight")

SHAPES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "llama": ("Llama", "Llama", _BASE | {"attention_bias": True, "mlp_bias": True, "head_dim": 32}),
    "llama tied": ("Llama", "Llama", _BASE | {"tie_word_embeddings": True}),
    "llama 3.1": ("Llama", "Llama", _BASE | {"rope_parameters": _LLAMA3}),
    "llama linear": ("Llama", "Llama", _BASE | {"rope_parameters": _LINEAR}),
    "mistral": ("Mistral", "Mistral", _BASE | {"sliding_window": None}),
    "qwen2": ("Qwen2", "Qwen2", _BASE),
    "qwen3": ("Qwen3", "Qwen3", _BASE | {"head_dim": 32}),
    "gpt2": ("GPT2", "GPT2", _GPT2),
    "gemma": ("Gemma", "Gemma", _BASE | {"head_dim": 32}),
    "gemma 2": ("Gemma2", "Gemma2", _GEMMA),
    "gemma 3": ("Gemma3", "Gemma3Text", _GEMMA | {"num_hidden_layers": 7}),
}


def small_model(name: str, **changes: Any) -> nn.Module:
    """One of `SHAPES`, but for those entries of its configuration that `changes` name."""
    kind, config, entries = SHAPES[name]
    head = "LMHeadModel" if kind == "GPT2" else "ForCausalLM"
    configuration = getattr(transformers, f"{config}Config")(**entries | changes)
    module: nn.Module = getattr(transformers, kind + head)(configuration).eval()
    torch.manual_seed(0)
    with torch.no_grad():
        for path, weight in module.named_parameters():
            weight.normal_(std=0.15 if weight.ndim > 1 else 0.3)
            if path.endswith(NORMS) and "Gemma" not in kind:
                weight += 1
    return module


def bytes_tokenizer() -> Tokenizer:
    """Byte-level byte-pair encoding with 300 tokens."""
    return train_tokenizer([TEXT * 20], "byte_bpe", 300)
