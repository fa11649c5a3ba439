"""BERT (Devlin et al. 2019, https://arxiv.org/abs/1810.04805): the encoder.

It sees the whole sentence at once and learns by filling in words that were masked.

    ids → LayerNorm(token + position + segment vectors) → N post-norm blocks
        → dense, GELU, LayerNorm → logits (weights tied to the token vectors, plus a bias)

Shapes: B batch, T tokens, C width, V vocabulary.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vitral.models.configuration import ModelConfig
from vitral.nn.attention import Attention
from vitral.nn.block import PostNormBlock
from vitral.nn.feed_forward import ACTIVATIONS, FeedForward
from vitral.nn.masks import attention_mask as build_mask
from vitral.nn.norms import LayerNorm
from vitral.nn.positions import LearnedPositions


@dataclass
class BertConfig(ModelConfig):
    """The shape of a BERT; the defaults are those of the published base model."""

    architecture = "BertForMaskedLM"
    kind = "encoder"

    vocab_size: int = 30_522
    context: int = 512
    hidden_size: int = 768
    num_layers: int = 12
    num_heads: int = 12
    intermediate_size: int = 3072
    num_key_value_heads: int = 12
    epsilon: float = 1e-12
    activation: str = "gelu"
    num_segments: int = 2


class BertEmbedding(nn.Module):
    """Token, position and segment vectors, added and normalised; ids [B, T] give [B, T, C]."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.positions = LearnedPositions(config.context, config.hidden_size)
        self.segments = nn.Embedding(config.num_segments, config.hidden_size)
        self.norm = LayerNorm(config.hidden_size, config.epsilon)
        self.dropout = config.dropout

    def forward(self, ids_BT: Tensor, segments_BT: Tensor | None = None) -> Tensor:
        positions = torch.arange(ids_BT.shape[1], device=ids_BT.device)
        if segments_BT is None:
            segments_BT = torch.zeros_like(ids_BT)
        x_BTC = self.tokens(ids_BT) + self.positions(positions) + self.segments(segments_BT)
        return F.dropout(self.norm(x_BTC), self.dropout, self.training)


class MaskedWordHead(nn.Module):
    """From vectors [..., C] to logits [..., V]: dense, activation, norm, tied map and bias."""

    def __init__(self, config: BertConfig, token_weight: Tensor) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = ACTIVATIONS[config.activation]
        self.norm = LayerNorm(config.hidden_size, config.epsilon)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        self.decoder.weight = token_weight

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.decoder(self.norm(self.activation(self.dense(x))))
        return logits


class Bert(nn.Module):
    """An encoder in BERT's form, with the head that names masked words."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = BertEmbedding(config)
        self.layers = nn.ModuleList(
            PostNormBlock(
                Attention(
                    config.hidden_size,
                    config.num_heads,
                    causal=False,
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
        self.head = MaskedWordHead(config, self.embed.tokens.weight)

    def encode(
        self,
        ids_BT: Tensor,
        attention_mask: Tensor | None = None,
        segments_BT: Tensor | None = None,
    ) -> Tensor:
        """The last layer's vectors [B, T, C]. `attention_mask` [B, T] is 0 at padding."""
        num_tokens = ids_BT.shape[1]
        mask = build_mask(
            attention_mask, num_tokens, num_tokens, causal=False, device=ids_BT.device
        )
        x_BTC: Tensor = self.embed(ids_BT, segments_BT)
        for layer in self.layers:
            x_BTC = layer(x_BTC, mask)
        return x_BTC

    def forward(
        self,
        ids_BT: Tensor,
        attention_mask: Tensor | None = None,
        segments_BT: Tensor | None = None,
    ) -> Tensor:
        """Logits [B, T, V] for the token at each place of `ids` [B, T]."""
        logits_BTV: Tensor = self.head(self.encode(ids_BT, attention_mask, segments_BT))
        return logits_BTV
