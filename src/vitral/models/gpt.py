"""GPT-2 (Radford et al. 2019): the decoder with learned positions, LayerNorm and GELU.

    ids → token + position vectors → N pre-norm blocks → LayerNorm → logits

The last map shares its weights with the token vectors ("tied embeddings": Press & Wolf 2017,
https://arxiv.org/abs/1608.05859).

Shapes: B batch, T new tokens, S all tokens with the cached ones, C width, V vocabulary.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

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
class GPTConfig(ModelConfig):
    """The shape of a GPT-2; the defaults are those of the smallest published one."""

    architecture = "GPT2LMHeadModel"
    kind = "decoder"

    vocab_size: int = 50_257
    context: int = 1024
    hidden_size: int = 768
    num_layers: int = 12
    num_heads: int = 12
    intermediate_size: int = 3072
    num_key_value_heads: int = 12
    epsilon: float = 1e-5
    activation: str = "gelu_new"


class GPTEmbedding(nn.Module):
    """Token vectors plus position vectors; ids [B, T] at positions [T] or [B, T] give [B, T, C]."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.positions = LearnedPositions(config.context, config.hidden_size)
        self.dropout = config.dropout

    def forward(self, ids_BT: Tensor, positions: Tensor) -> Tensor:
        x_BTC: Tensor = self.tokens(ids_BT) + self.positions(positions)
        return F.dropout(x_BTC, self.dropout, self.training)


class GPT(nn.Module):
    """A decoder with GPT-2's architecture.

    `recompute_activations` trains with less memory and more time (`nn.recomputation`).
    """

    recompute_activations: bool = False

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = GPTEmbedding(config)
        self.layers = nn.ModuleList(
            PreNormBlock(
                Attention(
                    config.hidden_size,
                    config.num_heads,
                    causal=True,
                    layer_idx=i,
                    dropout=config.dropout,
                ),
                FeedForward(config.hidden_size, config.intermediate_size, config.activation),
                LayerNorm(config.hidden_size, config.epsilon),
                LayerNorm(config.hidden_size, config.epsilon),
                dropout=config.dropout,
            )
            for i in range(config.num_layers)
        )
        self.norm = LayerNorm(config.hidden_size, config.epsilon)
        self.head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.head.weight = self.embed.tokens.weight

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
        tokens' too): none sees another, and positions begin anew in each.
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
        if documents_BT is None:
            positions = torch.arange(past, past + num_new, device=ids_BT.device)
        else:
            positions = positions_in_documents(documents_BT)[:, past:]
        x_BTC = self.embed(ids_BT, positions)
        x_BTC = through_blocks(
            self.layers,
            x_BTC,
            mask,
            recompute=self.recompute_activations and self.training and cache is None,
            cache=cache,
        )
        logits_BTV: Tensor = self.head(self.norm(x_BTC))
        return logits_BTV

    def new_cache(self) -> KeyValueCache:
        """An empty cache, for a text to be written."""
        return KeyValueCache(self.config.num_layers)


class GPT2Shape(AttentionShape):
    """A decoder in GPT-2's form. "gelu_new" is the published models' activation, an
    approximation of "gelu", which is faster on CPUs."""

    form: Literal["gpt2"]
    activation: Literal["gelu", "gelu_new"] = "gelu"


class _Folder(FolderFormat):
    def shape_of(self, entries: Mapping[str, Any]) -> dict[str, Any]:
        shape = super().shape_of(entries)
        if "hidden_size" in shape:
            shape.setdefault("intermediate_size", 4 * shape["hidden_size"])
        return shape


FORM = Form(
    name="gpt2",
    config=GPTConfig,
    model=GPT,
    shape=GPT2Shape,
    start="waves",
    fast=FastDecoding(classes=(GPT, GPTEmbedding), positions="embed.positions.weight"),
    folder=_Folder(
        architectures=("GPT2LMHeadModel",),
        model_type="gpt2",
        entries={
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
        fixed={"tie_word_embeddings": True},
        plain={
            "scale_attn_weights": (True, None),
            "scale_attn_by_inverse_layer_idx": (False, None),
            "add_cross_attention": (False, None),
            "tie_word_embeddings": (True, None),
        },
        weights={
            "embed.tokens": "transformer.wte",
            "embed.positions": "transformer.wpe",
            "layers.N.attention_norm": "transformer.h.N.ln_1",
            "layers.N.attention.q_proj": "transformer.h.N.attn.c_attn",
            "layers.N.attention.k_proj": "transformer.h.N.attn.c_attn",
            "layers.N.attention.v_proj": "transformer.h.N.attn.c_attn",
            "layers.N.attention.o_proj": "transformer.h.N.attn.c_proj",
            "layers.N.mlp_norm": "transformer.h.N.ln_2",
            "layers.N.mlp.up_proj": "transformer.h.N.mlp.c_fc",
            "layers.N.mlp.down_proj": "transformer.h.N.mlp.c_proj",
            "norm": "transformer.ln_f",
            "head": "lm_head",
        },
        transposed=True,
        tied={"head.weight": "embed.tokens.weight"},
        older={r"^(?!transformer\.|lm_head\.)": "transformer."},  # the first published files
    ),
)
