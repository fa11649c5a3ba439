"""Decoders small enough to write in no time, with weights large enough that the text varies."""

import torch

from vitral.models.gpt import GPT, GPTConfig
from vitral.models.llama import Llama, LlamaConfig


def lively(model):
    torch.manual_seed(3)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn_like(weight) * 0.4)
    return model.eval()


def gpt(**shape) -> GPT:
    config = GPTConfig(
        vocab_size=31,
        context=24,
        hidden_size=20,
        num_layers=3,
        num_heads=4,
        num_key_value_heads=4,
        intermediate_size=30,
        **shape,
    )
    return lively(GPT(config))


def llama(**shape) -> Llama:
    config = LlamaConfig(
        vocab_size=31,
        context=24,
        hidden_size=24,
        num_layers=3,
        num_heads=4,
        num_key_value_heads=2,
        intermediate_size=30,
        **shape,
    )
    return lively(Llama(config))
