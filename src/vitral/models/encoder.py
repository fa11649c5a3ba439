"""What the encoders of BERT's family share: the layers, and the head that predicts masked words.

    ids → embedding → N post-norm blocks → x → dense, activation, LayerNorm → logits

The map to the logits shares its weights with the token vectors and has a bias of its own.
BERT, RoBERTa and ALBERT differ in what comes before the blocks, in whether each block has its
own weights, and in what else they predict.

Shapes: B batch, T tokens, C width, E width of the token vectors, V vocabulary.
"""

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from vitral.models.configuration import ModelConfig
from vitral.nn.attention import Attention
from vitral.nn.block import PostNormBlock
from vitral.nn.feed_forward import ACTIVATIONS, FeedForward
from vitral.nn.masks import attention_mask as build_mask
from vitral.nn.norms import LayerNorm
from vitral.nn.recomputation import through_blocks


class Encoder(nn.Module):
    """An encoder: `embed` (ids and segments to vectors), `layers`, `head`.

    `recompute_activations` trains with less memory and more time (`nn.recomputation`).
    """

    config: Any
    embed: nn.Module
    layers: nn.ModuleList
    head: nn.Module
    recompute_activations: bool = False

    def blocks(self) -> Iterable[nn.Module]:
        """The blocks in the order in which a text goes through them."""
        return self.layers

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
        x_BTC = self.embed(ids_BT, segments_BT)
        recompute = self.recompute_activations and self.training
        return through_blocks(self.blocks(), x_BTC, mask, recompute=recompute)

    def forward(
        self,
        ids_BT: Tensor,
        attention_mask: Tensor | None = None,
        segments_BT: Tensor | None = None,
    ) -> Tensor:
        """Logits [B, T, V] for the token at each place of `ids` [B, T]."""
        logits_BTV: Tensor = self.head(self.encode(ids_BT, attention_mask, segments_BT))
        return logits_BTV


def encoder_block(config: ModelConfig, layer_idx: int) -> PostNormBlock:
    """A block in which every token sees every other, with fresh weights."""
    return PostNormBlock(
        Attention(
            config.hidden_size,
            config.num_heads,
            causal=False,
            layer_idx=layer_idx,
            dropout=config.dropout,
        ),
        FeedForward(config.hidden_size, config.intermediate_size, config.activation),
        LayerNorm(config.hidden_size, config.epsilon),
        LayerNorm(config.hidden_size, config.epsilon),
        dropout=config.dropout,
    )


class MaskedWordHead(nn.Module):
    """From vectors [..., C] to logits [..., V]: dense, activation, norm, tied map and bias.

    `token_weight` [V, E] are the token vectors; `activation` is that of the configuration,
    by default. Without `biases`, only the map to the logits has one.
    """

    def __init__(
        self,
        config: ModelConfig,
        token_weight: Tensor,
        activation: str | None = None,
        *,
        biases: bool = True,
    ) -> None:
        super().__init__()
        vocab_size, embedding_size = token_weight.shape
        self.dense = nn.Linear(config.hidden_size, embedding_size, bias=biases)
        self.activation = ACTIVATIONS[activation or config.activation]
        self.norm = LayerNorm(embedding_size, config.epsilon, bias=biases)
        self.decoder = nn.Linear(embedding_size, vocab_size)
        self.decoder.weight = token_weight

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.decoder(self.norm(self.activation(self.dense(x))))
        return logits


# What folders in BERT's line have in common (see `models.folder_format`).

ENTRIES = {
    "vocab_size": "vocab_size",
    "max_position_embeddings": "context",
    "hidden_size": "hidden_size",
    "num_hidden_layers": "num_layers",
    "num_attention_heads": "num_heads",
    "intermediate_size": "intermediate_size",
    "layer_norm_eps": "epsilon",
    "hidden_act": "activation",
    "type_vocab_size": "num_segments",
    "attention_probs_dropout_prob": "dropout",
    "hidden_dropout_prob": "dropout",
}
PLAIN: dict[str, tuple[Any, ...]] = {
    "position_embedding_type": ("absolute", None),
    "is_decoder": (False, None),
    "add_cross_attention": (False, None),
    "tie_word_embeddings": (True, None),
}
TIED = {"head.decoder.weight": "embed.tokens.weight"}
OLDER = {r"LayerNorm\.gamma$": "LayerNorm.weight", r"LayerNorm\.beta$": "LayerNorm.bias"}


def embedding_names(prefix: str) -> dict[str, str]:
    """The names of the embedding's parts."""
    return {
        "embed.tokens": f"{prefix}.word_embeddings",
        "embed.positions": f"{prefix}.position_embeddings",
        "embed.segments": f"{prefix}.token_type_embeddings",
        "embed.norm": f"{prefix}.LayerNorm",
    }


def body_names(prefix: str) -> dict[str, str]:
    """The names of the embedding's parts and of every block's, as BERT's folders call them."""
    layer = f"{prefix}.encoder.layer.N"
    return embedding_names(f"{prefix}.embeddings") | {
        "layers.N.attention.q_proj": f"{layer}.attention.self.query",
        "layers.N.attention.k_proj": f"{layer}.attention.self.key",
        "layers.N.attention.v_proj": f"{layer}.attention.self.value",
        "layers.N.attention.o_proj": f"{layer}.attention.output.dense",
        "layers.N.attention_norm": f"{layer}.attention.output.LayerNorm",
        "layers.N.mlp.up_proj": f"{layer}.intermediate.dense",
        "layers.N.mlp.down_proj": f"{layer}.output.dense",
        "layers.N.mlp_norm": f"{layer}.output.LayerNorm",
    }
