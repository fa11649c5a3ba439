"""GPT-2 (Radford et al. 2019): the decoder with learned positions, LayerNorm and GELU.

    ids → token + position vectors → N pre-norm blocks → LayerNorm → logits

The last map shares its weights with the token vectors ("tied embeddings": Press & Wolf 2017,
https://arxiv.org/abs/1608.05859).

Shapes: B batch, T new tokens, S all tokens with the cached ones, C width, V vocabulary.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vitral.models.configuration import ModelConfig
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
