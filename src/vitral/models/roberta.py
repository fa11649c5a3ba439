"""RoBERTa (Liu et al. 2019, https://arxiv.org/abs/1907.11692): BERT, trained with more care.

The paper kept BERT's layers and changed the training: more text, new masks at each pass, no
question about the next sentence. So there is one segment, which says nothing, and no second head.

What differs in the numbers comes from the library it was written in: positions are counted from
the padding's id on. Padding stands at position `pad_token_id`, the first real token at the next
one, and padding between tokens is not counted:

    ids        5   9   4   1   1        (padding is 1)
    positions  2   3   4   1   1

so the table has `context + pad_token_id + 1` rows, and published models of 512 tokens say 514.

    ids → LayerNorm(token + position + segment vectors) → N post-norm blocks
        → dense, GELU, LayerNorm → logits (weights tied to the token vectors, plus a bias)

    >>> roberta_positions(torch.tensor([[5, 9, 4, 1, 1]]), pad_token_id=1)
    tensor([[2, 3, 4, 1, 1]])

Shapes: B batch, T tokens, C width, V vocabulary.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

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
    body_names,
    encoder_block,
)
from vitral.models.folder_format import FolderFormat
from vitral.models.form import Form
from vitral.models.shape import AttentionShape
from vitral.nn.norms import LayerNorm
from vitral.nn.positions import LearnedPositions


@dataclass
class RobertaConfig(ModelConfig):
    """The shape of a RoBERTa; the defaults are those of the published base model.

    `context` is the number of tokens, without the rows that the position table keeps for
    padding.
    """

    architecture = "RobertaForMaskedLM"
    kind = "encoder"

    vocab_size: int = 50_265
    context: int = 512
    hidden_size: int = 768
    num_layers: int = 12
    num_heads: int = 12
    intermediate_size: int = 3072
    num_key_value_heads: int = 12
    epsilon: float = 1e-5
    activation: str = "gelu"
    num_segments: int = 1
    pad_token_id: int = 1


def roberta_positions(ids_BT: Tensor, pad_token_id: int) -> Tensor:
    """Each token's row in the position table, [B, T]; see the head of this file."""
    real_BT = (ids_BT != pad_token_id).long()
    return real_BT.cumsum(dim=1) * real_BT + pad_token_id


class RobertaEmbedding(nn.Module):
    """Token, position and segment vectors, added and normalised; ids [B, T] give [B, T, C]."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__()
        self.pad_token_id = config.pad_token_id
        num_positions = config.context + config.pad_token_id + 1
        self.tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.positions = LearnedPositions(num_positions, config.hidden_size)
        self.segments = nn.Embedding(config.num_segments, config.hidden_size)
        self.norm = LayerNorm(config.hidden_size, config.epsilon)
        self.dropout = config.dropout

    def forward(self, ids_BT: Tensor, segments_BT: Tensor | None = None) -> Tensor:
        positions_BT = roberta_positions(ids_BT, self.pad_token_id)
        if segments_BT is None:
            segments_BT = torch.zeros_like(ids_BT)
        x_BTC = self.tokens(ids_BT) + self.positions(positions_BT) + self.segments(segments_BT)
        return F.dropout(self.norm(x_BTC), self.dropout, self.training)


class Roberta(Encoder):
    """An encoder with RoBERTa's architecture, and the head that predicts masked words."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = RobertaEmbedding(config)
        self.layers = nn.ModuleList(encoder_block(config, i) for i in range(config.num_layers))
        # Whatever the blocks' activation is, the head's is the exact GELU.
        self.head = MaskedWordHead(config, self.embed.tokens.weight, activation="gelu")


class RobertaShape(AttentionShape):
    """An encoder in RoBERTa's form."""

    form: Literal["roberta"]


class _Folder(FolderFormat):
    """Counts the position table's rows, where the configuration counts the text's."""

    def shape_of(self, entries: Mapping[str, Any]) -> dict[str, Any]:
        shape = {"context": 512, "num_segments": 2, "pad_token_id": 1, "epsilon": 1e-12}
        shape |= super().shape_of(entries)
        return shape | {"context": shape["context"] - shape["pad_token_id"] - 1}

    def entries_of(self, config: Any) -> dict[str, Any]:
        num_rows = config.context + config.pad_token_id + 1
        return super().entries_of(config) | {"max_position_embeddings": num_rows}


FORM = Form(
    name="roberta",
    config=RobertaConfig,
    model=Roberta,
    shape=RobertaShape,
    marks=("pad_token_id",),
    start="neighbours",
    folder=_Folder(
        architectures=("RobertaForMaskedLM",),
        model_type="roberta",
        entries=ENTRIES | {"pad_token_id": "pad_token_id"},
        fixed={"tie_word_embeddings": True},
        plain=PLAIN,
        weights={
            **body_names("roberta"),
            "head.dense": "lm_head.dense",
            "head.norm": "lm_head.layer_norm",
            "head.decoder": "lm_head.decoder",
            "head.decoder.bias": "lm_head.bias",
        },
        tied=TIED,
        older=OLDER,
        body=("RobertaModel", "roberta."),
        unused=r"^roberta\.pooler\.",
    ),
)
