"""BERT (Devlin et al. 2019, https://arxiv.org/abs/1810.04805): the encoder.

It sees the whole sentence at once and learns by filling in words that were masked.

    ids → LayerNorm(token + position + segment vectors) → N post-norm blocks
        → dense, GELU, LayerNorm → logits (weights tied to the token vectors, plus a bias)

It may also learn whether one passage follows another (section 3.1, "next sentence prediction").
The two stand in one text, "[CLS] … [SEP] … [SEP]", told apart by their segment vectors, and the
answer is read from the first token's vector alone:

    x_0 → dense, tanh → 2 logits: "it follows", "it does not"

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
class BertConfig(ModelConfig):
    """The shape of a BERT; the defaults are those of the published base model.

    With `next_sentence` it has the second head, too.
    """

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
    next_sentence: bool = False

    @property
    def architecture(self) -> str:
        return "BertForPreTraining" if self.next_sentence else "BertForMaskedLM"


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


class NextSentenceHead(nn.Module):
    """From a text's vectors [B, T, C] to two logits [B, 2], by the first token's."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.classes = nn.Linear(config.hidden_size, 2)

    def forward(self, x_BTC: Tensor) -> Tensor:
        logits_B2: Tensor = self.classes(self.dense(x_BTC[:, 0]).tanh())
        return logits_B2


class Bert(Encoder):
    """An encoder with BERT's architecture, and the head that predicts masked words."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = BertEmbedding(config)
        self.layers = nn.ModuleList(encoder_block(config, i) for i in range(config.num_layers))
        self.head = MaskedWordHead(config, self.embed.tokens.weight)
        if config.next_sentence:
            self.next_sentence = NextSentenceHead(config)

    def next_sentence_logits(self, x_BTC: Tensor) -> Tensor:
        """What `encode` gave, [B, T, C], to the logits [B, 2] of "the second passage follows the
        first" (0) and "it does not" (1); for models made with `next_sentence`."""
        logits_B2: Tensor = self.next_sentence(x_BTC)
        return logits_B2


class BertShape(AttentionShape):
    """An encoder in BERT's form; with `next_sentence` it also learns whether one passage
    follows another."""

    form: Literal["bert"]
    next_sentence: bool = False


class _Folder(FolderFormat):
    def shape_of(self, entries: Mapping[str, Any]) -> dict[str, Any]:
        second_head = entries["architectures"][0] == "BertForPreTraining"
        return super().shape_of(entries) | {"next_sentence": second_head}


FORM = Form(
    name="bert",
    config=BertConfig,
    model=Bert,
    shape=BertShape,
    start="neighbours",
    folder=_Folder(
        architectures=("BertForMaskedLM", "BertForPreTraining"),
        model_type="bert",
        entries=ENTRIES,
        fixed={"tie_word_embeddings": True},
        plain=PLAIN,
        weights={
            **body_names("bert"),
            "head.dense": "cls.predictions.transform.dense",
            "head.norm": "cls.predictions.transform.LayerNorm",
            "head.decoder": "cls.predictions.decoder",
            "head.decoder.bias": "cls.predictions.bias",
            "next_sentence.dense": "bert.pooler.dense",
            "next_sentence.classes": "cls.seq_relationship",
        },
        tied=TIED,
        older=OLDER,
        body=("BertModel", "bert."),
        unused=r"^(bert\.pooler|cls\.seq_relationship)\.",
    ),
)
