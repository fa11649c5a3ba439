"""ALBERT (Lan et al. 2020, https://arxiv.org/abs/1909.11942): BERT in a tenth of the weights.

Two ideas save them (section 3.1). *Factorised embeddings*: what a word is by itself needs fewer
numbers than what it is in a sentence, so token vectors are narrow (E) and one map widens them to
the layers' width (C). *Shared layers*: there is one block, and a text goes through it N times.
It computes as much as BERT of its shape; only memory and the file are smaller.

    ids → LayerNorm(token + position + segment vectors) → E to C → one post-norm block, N times
        → dense to E, GELU, LayerNorm → logits (weights tied to the token vectors, plus a bias)

In a trace each pass through the block is a layer, with patterns of its own: the weights are the
same, what comes in is not. The paper's second question, whether two passages stand in their
order, has no head here.

    >>> config = AlbertConfig(vocab_size=100, embedding_size=8, hidden_size=32, num_heads=4)
    >>> len(Albert(config).layers), config.num_layers
    (1, 12)

Shapes: B batch, T tokens, E width of the token vectors, C width, V vocabulary.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vitral.models.configuration import ModelConfig
from vitral.models.encoder import (
    ENTRIES,
    OLDER,
    PLAIN,
    TIED,
    Encoder,
    MaskedWordHead,
    embedding_names,
    encoder_block,
)
from vitral.models.folder_format import FolderFormat
from vitral.models.form import Form
from vitral.models.shape import AttentionShape, Width
from vitral.nn.norms import LayerNorm
from vitral.nn.positions import LearnedPositions


@dataclass
class AlbertConfig(ModelConfig):
    """The shape of an ALBERT; the defaults are those of the published base model.

    `num_layers` is how often a text goes through the block.
    """

    architecture = "AlbertForMaskedLM"
    kind = "encoder"

    vocab_size: int = 30_000
    context: int = 512
    hidden_size: int = 768
    num_layers: int = 12
    num_heads: int = 12
    intermediate_size: int = 3072
    num_key_value_heads: int = 12
    epsilon: float = 1e-12
    activation: str = "gelu_new"
    embedding_size: int = 128
    num_segments: int = 2


class AlbertEmbedding(nn.Module):
    """Narrow token, position and segment vectors, added, normalised and widened; ids [B, T]
    give [B, T, C]."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.tokens = nn.Embedding(config.vocab_size, config.embedding_size)
        self.positions = LearnedPositions(config.context, config.embedding_size)
        self.segments = nn.Embedding(config.num_segments, config.embedding_size)
        self.norm = LayerNorm(config.embedding_size, config.epsilon)
        self.widen = nn.Linear(config.embedding_size, config.hidden_size)
        self.dropout = config.dropout

    def forward(self, ids_BT: Tensor, segments_BT: Tensor | None = None) -> Tensor:
        positions = torch.arange(ids_BT.shape[1], device=ids_BT.device)
        if segments_BT is None:
            segments_BT = torch.zeros_like(ids_BT)
        x_BTE = self.tokens(ids_BT) + self.positions(positions) + self.segments(segments_BT)
        x_BTC: Tensor = self.widen(F.dropout(self.norm(x_BTE), self.dropout, self.training))
        return x_BTC


class Albert(Encoder):
    """An encoder with ALBERT's architecture, and the head that predicts masked words."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = AlbertEmbedding(config)
        self.layers = nn.ModuleList([encoder_block(config, 0)])
        self.head = MaskedWordHead(config, self.embed.tokens.weight)

    def blocks(self) -> Iterable[nn.Module]:
        """The one block, as often as there are layers."""
        return [block for _ in range(self.config.num_layers) for block in self.layers]


class AlbertShape(AttentionShape):
    """An encoder in ALBERT's form: `num_layers` passes through one block, and token vectors of
    `embedding_size`."""

    form: Literal["albert"]
    embedding_size: Width = 128


_ONE_GROUP = {"num_hidden_groups": 1, "inner_group_num": 1}
_BLOCK = "albert.encoder.albert_layer_groups.N.albert_layers.0"  # the only one of its only group

FORM = Form(
    name="albert",
    config=AlbertConfig,
    model=Albert,
    shape=AlbertShape,
    grows="passes",
    folder=FolderFormat(
        architectures=("AlbertForMaskedLM",),
        model_type="albert",
        entries=ENTRIES | {"embedding_size": "embedding_size"},
        fixed={"tie_word_embeddings": True} | _ONE_GROUP,
        plain=PLAIN | {name: (value, None) for name, value in _ONE_GROUP.items()},
        weights={
            **embedding_names("albert.embeddings"),
            "embed.widen": "albert.encoder.embedding_hidden_mapping_in",
            "layers.N.attention.q_proj": f"{_BLOCK}.attention.query",
            "layers.N.attention.k_proj": f"{_BLOCK}.attention.key",
            "layers.N.attention.v_proj": f"{_BLOCK}.attention.value",
            "layers.N.attention.o_proj": f"{_BLOCK}.attention.dense",
            "layers.N.attention_norm": f"{_BLOCK}.attention.LayerNorm",
            "layers.N.mlp.up_proj": f"{_BLOCK}.ffn",
            "layers.N.mlp.down_proj": f"{_BLOCK}.ffn_output",
            "layers.N.mlp_norm": f"{_BLOCK}.full_layer_layer_norm",
            "head.dense": "predictions.dense",
            "head.norm": "predictions.LayerNorm",
            "head.decoder": "predictions.decoder",
            "head.decoder.bias": "predictions.bias",
        },
        tied=TIED,
        older=OLDER,
        body=("AlbertModel", "albert."),
        unused=r"^(albert\.pooler|sop_classifier)\.",
    ),
)
