"""Small random models of transformers in which some blocks have no attention."""

from typing import Any

import torch


def lfm2() -> Any:
    from transformers import Lfm2Config, Lfm2ForCausalLM

    torch.manual_seed(0)
    kinds = ["conv", "conv", "full_attention", "conv"]
    config = Lfm2Config(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        layer_types=kinds,
        block_auto_adjust_ff_dim=False,
    )
    return Lfm2ForCausalLM(config).eval()


def jamba() -> Any:
    from transformers import JambaConfig, JambaForCausalLM

    torch.manual_seed(0)
    config = JambaConfig(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        attn_layer_period=4,
        attn_layer_offset=2,
        expert_layer_period=2,
        expert_layer_offset=1,
        num_experts=2,
        num_experts_per_tok=1,
        mamba_d_state=4,
        mamba_dt_rank=4,
        use_mamba_kernels=False,
    )
    return JambaForCausalLM(config).eval()
