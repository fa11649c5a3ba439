"""Llama (Touvron et al. 2023, https://arxiv.org/abs/2302.13971): the modern decoder.

Against GPT-2 it turns queries and keys by their positions instead of adding position vectors,
normalises by the root mean square, gates its feed-forward part, shares key–value heads among
query heads, and has no biases.

    ids → token vectors → N pre-norm blocks (rotary, grouped queries) → RMSNorm → logits

Shapes: B batch, T new tokens, S all tokens with the cached ones, C width, V vocabulary.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from vitral.models.configuration import ModelConfig
from vitral.models.folder_format import FolderFormat
from vitral.models.form import FastDecoding, Form
from vitral.models.shape import AttentionShape, Depth, NoMultiple, Places
from vitral.nn.attention import Attention
from vitral.nn.block import PreNormBlock
from vitral.nn.cache import KeyValueCache
from vitral.nn.feed_forward import GatedFeedForward
from vitral.nn.masks import attention_mask as build_mask
from vitral.nn.norms import RMSNorm
from vitral.nn.positions import RotaryPositions
from vitral.nn.recomputation import through_blocks


@dataclass
class LlamaConfig(ModelConfig):
    """The shape of a Llama. `rope_base` is the frequency base of the rotary positions;
    `head_size` need not be `hidden_size / num_heads`."""

    architecture = "LlamaForCausalLM"
    kind = "decoder"

    vocab_size: int = 32_000
    context: int = 2048
    hidden_size: int = 4096
    num_layers: int = 32
    num_heads: int = 32
    intermediate_size: int = 11_008
    num_key_value_heads: int = 32
    epsilon: float = 1e-6
    activation: str = "silu"
    head_size: int | None = None
    rope_base: float = 10_000.0
    tied_embeddings: bool = True
    attention_bias: bool = False
    mlp_bias: bool = False

    def __post_init__(self) -> None:
        if self.head_size is None:
            self.head_size = self.hidden_size // self.num_heads


class Llama(nn.Module):
    """A decoder with Llama's architecture.

    `recompute_activations` trains with less memory and more time (`nn.recomputation`).
    """

    recompute_activations: bool = False

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        assert config.head_size is not None
        self.config = config
        self.embed = nn.Embedding(config.vocab_size, config.hidden_size)
        self.rotary = RotaryPositions(config.head_size, config.rope_base)
        self.layers = nn.ModuleList(
            PreNormBlock(
                Attention(
                    config.hidden_size,
                    config.num_heads,
                    num_key_value_heads=config.num_key_value_heads,
                    head_size=config.head_size,
                    causal=True,
                    layer_idx=i,
                    bias=config.attention_bias,
                    dropout=config.dropout,
                ),
                GatedFeedForward(
                    config.hidden_size,
                    config.intermediate_size,
                    config.activation,
                    bias=config.mlp_bias,
                ),
                RMSNorm(config.hidden_size, config.epsilon),
                RMSNorm(config.hidden_size, config.epsilon),
                dropout=config.dropout,
            )
            for i in range(config.num_layers)
        )
        self.norm = RMSNorm(config.hidden_size, config.epsilon)
        self.head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        if config.tied_embeddings:
            self.head.weight = self.embed.weight

    def forward(
        self,
        ids_BT: Tensor,
        attention_mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        documents_BT: Tensor | None = None,
    ) -> Tensor:
        """Logits [B, T, V] for the token after each of `ids` [B, T].

        `attention_mask` [B, S] is 0 at padding. With a `cache`, `ids` are only the new tokens.
        `documents_BT` is the number of each token's document in a row of several (the cached
        tokens' too): none sees another. Rotary positions need not begin anew, for only
        distances count.
        """
        past = 0 if cache is None else cache.length
        num_new = ids_BT.shape[1]
        mask = build_mask(
            attention_mask,
            num_new,
            past + num_new,
            causal=True,
            device=ids_BT.device,
            documents_BS=documents_BT,
        )
        angles = self.rotary.angles(torch.arange(past, past + num_new, device=ids_BT.device))
        x_BTC = F.dropout(self.embed(ids_BT), self.config.dropout, self.training)
        x_BTC = through_blocks(
            self.layers,
            x_BTC,
            mask,
            recompute=self.recompute_activations and self.training and cache is None,
            rotary=self.rotary,
            angles=angles,
            cache=cache,
        )
        logits_BTV: Tensor = self.head(self.norm(x_BTC))
        return logits_BTV

    def new_cache(self) -> KeyValueCache:
        """An empty cache, for a text to be written."""
        return KeyValueCache(self.config.num_layers)


class LlamaShape(AttentionShape):
    """A decoder in Llama's form."""

    rotary = True

    form: Literal["llama"]
    num_key_value_heads: Depth | None = None
    intermediate_size: Places = 688
    rope_base: Annotated[float, Field(gt=1, le=1e12)] = 10_000.0

    def config_entries(self) -> dict[str, Any]:
        return super().config_entries() | {"num_key_value_heads": self._num_groups}

    def not_multiples(self) -> Iterator[NoMultiple]:
        yield from super().not_multiples()
        if self.num_heads % self._num_groups:
            yield NoMultiple("num_heads", self.num_heads, self._num_groups, "num_key_value_heads")

    @property
    def _num_groups(self) -> int:
        return self.num_key_value_heads or self.num_heads


class _Folder(FolderFormat):
    def can_read(self, entries: Mapping[str, Any]) -> bool:
        rope = entries.get("rope_parameters") or {}
        return super().can_read(entries) and rope.get("rope_type", "default") == "default"

    def shape_of(self, entries: Mapping[str, Any]) -> dict[str, Any]:
        rope = entries.get("rope_parameters") or {}
        base = rope.get("rope_theta", entries.get("rope_theta", 10_000.0))
        said = {"tied_embeddings": False} | super().shape_of(entries)
        return said | {"rope_base": float(base)}

    def entries_of(self, config: Any) -> dict[str, Any]:
        """Both the entry of transformers 5 and that of older readers, which know no other."""
        rope = {"rope_theta": config.rope_base, "rope_type": "default"}
        entries = super().entries_of(config)
        return entries | {"rope_parameters": rope, "rope_theta": config.rope_base}


FORM = Form(
    name="llama",
    config=LlamaConfig,
    model=Llama,
    shape=LlamaShape,
    tokens="embed.weight",
    fast=FastDecoding(classes=(Llama,), rotary="rotary"),
    folder=_Folder(
        architectures=("LlamaForCausalLM",),
        model_type="llama",
        entries={
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
        plain={"rope_scaling": (None,), "pretraining_tp": (1, None)},
        weights={
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
        tied={"head.weight": "embed.weight"},
    ),
)
