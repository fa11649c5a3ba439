"""An architecture that nobody has: the whole of what a new one takes. `test_forms` adds it."""

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from vitral.models.configuration import ModelConfig
from vitral.models.folder_format import FolderFormat
from vitral.models.form import FastDecoding, Form
from vitral.models.shape import AttentionShape
from vitral.nn.attention import Attention
from vitral.nn.block import PreNormBlock
from vitral.nn.cache import KeyValueCache
from vitral.nn.feed_forward import FeedForward
from vitral.nn.masks import attention_mask as build_mask
from vitral.nn.norms import LayerNorm
from vitral.nn.positions import LearnedPositions, positions_in_documents
from vitral.nn.recomputation import through_blocks


@dataclass
class MadeUpConfig(ModelConfig):
    architecture = "MadeUpForCausalLM"
    kind = "decoder"

    vocab_size: int = 300
    context: int = 64
    hidden_size: int = 32
    num_layers: int = 2
    num_heads: int = 4
    intermediate_size: int = 64
    num_key_value_heads: int = 4
    epsilon: float = 1e-5
    activation: str = "relu"
    loudness: float = 1.0


class MadeUp(nn.Module):
    """GPT-2's decoder with ReLU, whose norms begin `loudness` times louder."""

    recompute_activations: bool = False

    def __init__(self, config: MadeUpConfig) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocab_size, config.hidden_size)
        self.places = LearnedPositions(config.context, config.hidden_size)
        self.layers = nn.ModuleList(_block(config, i) for i in range(config.num_layers))
        self.norm = LayerNorm(config.hidden_size, config.epsilon)
        nn.init.constant_(self.norm.weight, config.loudness)
        self.head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    def forward(
        self,
        ids_BT: Tensor,
        attention_mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        documents_BT: Tensor | None = None,
    ) -> Tensor:
        past, new, device = 0 if cache is None else cache.length, ids_BT.shape[1], ids_BT.device
        total = past + new
        mask = build_mask(
            attention_mask, new, total, causal=True, device=device, documents_BS=documents_BT
        )
        if documents_BT is None:
            places = torch.arange(past, total, device=device)
        else:
            places = positions_in_documents(documents_BT)[:, past:]
        x_BTC = self.words(ids_BT) + self.places(places)
        recompute = self.recompute_activations and self.training
        x_BTC = through_blocks(self.layers, x_BTC, mask, recompute=recompute, cache=cache)
        logits_BTV: Tensor = self.head(self.norm(x_BTC))
        return logits_BTV

    def new_cache(self) -> KeyValueCache:
        return KeyValueCache(self.config.num_layers)


def _block(config: MadeUpConfig, layer_idx: int) -> PreNormBlock:
    return PreNormBlock(
        Attention(config.hidden_size, config.num_heads, causal=True, layer_idx=layer_idx),
        FeedForward(config.hidden_size, config.intermediate_size, config.activation),
        LayerNorm(config.hidden_size, config.epsilon),
        LayerNorm(config.hidden_size, config.epsilon),
    )


class MadeUpShape(AttentionShape):
    """A made-up decoder."""

    form: Literal["made_up"]
    loudness: Annotated[float, Field(gt=0)] = 1.0

    def config_entries(self) -> dict[str, Any]:
        return super().config_entries() | {"activation": "relu"}


FORM = Form(
    name="made_up",
    config=MadeUpConfig,
    model=MadeUp,
    shape=MadeUpShape,
    tokens="words.weight",
    fast=FastDecoding((MadeUp,), positions="places.weight"),
    folder=FolderFormat(
        architectures=("MadeUpForCausalLM",),
        model_type="vitral-made-up",
        entries={each.name: each.name for each in fields(MadeUpConfig)},
    ),
)
