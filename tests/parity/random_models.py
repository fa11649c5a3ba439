"""Small random models of each family, the same in every run."""

from typing import Any

import torch
import transformers
from torch import nn

transformers.logging.set_verbosity_error()

SIZES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "gpt2": (
        "GPT2LMHeadModel",
        "GPT2Config",
        {"n_embd": 20, "n_layer": 3, "n_head": 4, "n_positions": 64},
    ),
    "llama": (
        "LlamaForCausalLM",
        "LlamaConfig",
        {
            "hidden_size": 30,
            "num_hidden_layers": 3,
            "num_attention_heads": 6,
            "num_key_value_heads": 2,
            "head_dim": 10,
            "intermediate_size": 37,
            "max_position_embeddings": 64,
        },
    ),
    "bert": (
        "BertForMaskedLM",
        "BertConfig",
        {
            "hidden_size": 20,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "intermediate_size": 37,
            "max_position_embeddings": 64,
        },
    ),
    "roberta": (
        "RobertaForMaskedLM",
        "RobertaConfig",
        {
            "hidden_size": 20,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "intermediate_size": 37,
            "max_position_embeddings": 66,
        },
    ),
    "t5": (
        "T5ForConditionalGeneration",
        "T5Config",
        {
            "d_model": 20,
            "d_kv": 6,
            "num_layers": 3,
            "num_decoder_layers": 2,
            "num_heads": 4,
            "d_ff": 37,
            "decoder_start_token_id": 0,
            "relative_attention_num_buckets": 8,
            "relative_attention_max_distance": 6,
        },
    ),
    "bart": (
        "BartForConditionalGeneration",
        "BartConfig",
        {
            "d_model": 20,
            "encoder_layers": 3,
            "decoder_layers": 2,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 37,
            "decoder_ffn_dim": 37,
            "max_position_embeddings": 64,
        },
    ),
    "vit": (
        "ViTForImageClassification",
        "ViTConfig",
        {
            "hidden_size": 20,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "intermediate_size": 37,
            "image_size": 12,
            "patch_size": 4,
        },
    ),
}

DECODERS = ("gpt2", "llama")
ENCODERS = ("bert", "roberta")
ENCODER_DECODERS = ("t5", "bart")
TEXT_MODELS = DECODERS + ENCODERS


def random_model(family: str, attention: str = "sdpa", **more: Any) -> nn.Module:
    """A model with weights large enough that its heads differ, in eval mode."""
    architecture, configuration, size = SIZES[family]
    torch.manual_seed(len(family))
    vocabulary = {} if family == "vit" else {"vocab_size": 50}
    special = {"bos_token_id": 1, "eos_token_id": 2} | (
        {} if family == "vit" else {"pad_token_id": 1}
    )
    config = getattr(transformers, configuration)(
        **size, **vocabulary, **special, attn_implementation=attention, **more
    )
    model: nn.Module = getattr(transformers, architecture)(config).eval()
    torch.manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    return model
