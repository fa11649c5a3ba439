"""A recurrent language model: a decoder as it was before attention (Mikolov et al. 2010; with
LSTM cells Zaremba et al. 2014, https://arxiv.org/abs/1409.2329).

    ids → token vectors → N recurrent layers → logits

All that it knows of the text so far is its layers' states, whose size does not grow: reading one
more token costs the same at the tenth as at the ten-thousandth, and nothing limits the length.
The same states are its cache when it writes. It has no attention, so a trace of it holds the
residual stream alone: `layers.N.residual.post` are the states of layer N.

Token vectors and the map to the logits share their weights (Press & Wolf 2017). Dropout thins
what goes from layer to layer, never what goes from step to step (Zaremba et al.).

No architecture of Hugging Face's is a recurrent one, so it is saved in a folder of our own kind
(docs/decisions, "Recurrent models have a folder of their own").

Shapes: B batch, T tokens, C width, V vocabulary; N documents of at most L tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.models.configuration import ModelConfig
from vitral.models.folder_format import FolderFormat
from vitral.models.form import Form
from vitral.models.shape import Depth, Dropout, Places, Shape, Width
from vitral.nn.recurrent import FUSED, RecurrentLayer, RecurrentState


@dataclass
class RecurrentConfig(ModelConfig):
    """The shape of a recurrent language model. `cell` is "rnn", "lstm" or "gru".

    `context` is the number of tokens it is trained on at once; it limits nothing afterwards.
    Raises VitralError `model_option` for another cell.
    """

    architecture = "RecurrentLanguageModel"
    kind = "decoder"
    limited = False

    vocab_size: int = 8192
    context: int = 256
    hidden_size: int = 256
    num_layers: int = 2
    num_heads: int = 0
    intermediate_size: int = 0
    num_key_value_heads: int = 0
    epsilon: float = 0.0
    activation: str = "tanh"
    cell: str = "lstm"
    dropout: float = 0.0
    tied_embeddings: bool = True

    def __post_init__(self) -> None:
        check_choice("cell", self.cell, tuple(FUSED))


def check_choice(option: str, value: str, known: Sequence[str]) -> None:
    """Raises VitralError `model_option` for a value that a recurrent model's option has not."""
    if value not in known:
        raise VitralError("model_option", option=option, value=value, known=", ".join(known))


class Recurrent(nn.Module):
    """A recurrent decoder."""

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab_size, config.hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(
            RecurrentLayer(config.cell, config.hidden_size, config.hidden_size)
            for _ in range(config.num_layers)
        )
        self.head = nn.Linear(config.hidden_size, config.vocab_size)
        if config.tied_embeddings:
            self.head.weight = self.embed.weight

    def forward(
        self,
        ids_BT: Tensor,
        attention_mask: Tensor | None = None,
        cache: RecurrentState | None = None,
        *,
        documents_BT: Tensor | None = None,
    ) -> Tensor:
        """Logits [B, T, V] for the token after each of `ids` [B, T].

        `attention_mask` [B, T] (or more, of which the last T count) is 0 at padding, which is not
        read. With a `cache`, `ids` are only the new tokens. `documents_BT` numbers the document
        of each token; the state begins anew with every document.
        """
        if documents_BT is not None:
            assert cache is None, "documents side by side are read at once"
            return self._document_by_document(ids_BT, documents_BT, attention_mask)
        padding_BT = None if attention_mask is None else attention_mask[:, -ids_BT.shape[1] :]
        x_BTC = self.dropout(self.embed(ids_BT))
        for number, layer in enumerate(self.layers):
            state = None if cache is None else cache.layers[number]
            x_BTC, state = layer(x_BTC, padding_BT, state)
            if cache is not None:
                cache.layers[number] = state
            x_BTC = self.dropout(x_BTC)
        if cache is not None:
            cache.length += ids_BT.shape[1]
        logits_BTV: Tensor = self.head(x_BTC)
        return logits_BTV

    def new_cache(self) -> RecurrentState:
        """The initial states."""
        return RecurrentState(self.config.num_layers)

    def _document_by_document(
        self, ids_BT: Tensor, documents_BT: Tensor, attention_mask: Tensor | None
    ) -> Tensor:
        """Each document as a row of its own, and the logits back in their places."""
        document_BT, place_BT = document_rows(documents_BT)
        shape = int(document_BT.max()) + 1, int(place_BT.max()) + 1
        ids_NL, real_NL = ids_BT.new_zeros(shape), ids_BT.new_zeros(shape)
        ids_NL[document_BT, place_BT] = ids_BT
        real = torch.ones_like(ids_BT) if attention_mask is None else attention_mask.to(ids_BT)
        real_NL[document_BT, place_BT] = real
        logits_BTV: Tensor = self(ids_NL, real_NL)[document_BT, place_BT]
        return logits_BTV


def document_rows(documents_BT: Tensor) -> tuple[Tensor, Tensor]:
    """For each token the row [B, T] that its document would have if each had one of its own,
    and its place [B, T] in it."""
    begins_BT = torch.ones_like(documents_BT, dtype=torch.bool)
    begins_BT[:, 1:] = documents_BT[:, 1:] != documents_BT[:, :-1]
    row_BT = begins_BT.flatten().cumsum(dim=0).view_as(documents_BT) - 1
    here_T = torch.arange(documents_BT.shape[1], device=documents_BT.device)
    start_BT = torch.where(begins_BT, here_T, 0).cummax(dim=1).values
    return row_BT, here_T - start_BT


class AnyRecurrentShape(Shape):
    """What the shapes of recurrent models have in common. `context` is the longest text that
    such a model is trained on at once."""

    context: Places = 256
    hidden_size: Width = 256
    num_layers: Depth = 2
    cell: Literal["rnn", "lstm", "gru"] = "lstm"
    dropout: Dropout = 0.0


class RecurrentShape(AnyRecurrentShape):
    """A recurrent decoder. `context` is the longest text that it is trained on at once."""

    form: Literal["recurrent"]
    tied_embeddings: bool = True


_MEANS_NOTHING = {"intermediate_size", "num_heads", "num_key_value_heads", "epsilon", "activation"}


def recurrent_folder(config: type[ModelConfig]) -> FolderFormat:
    """The folder of a recurrent model, in which everything is called as here (docs/decisions,
    "Recurrent models have a folder of their own")."""
    names = [each.name for each in fields(config) if each.name not in _MEANS_NOTHING]
    return FolderFormat(
        architectures=(str(config.architecture),),
        model_type="vitral-recurrent",
        entries={name: name for name in names},
        tied={"head.weight": "embed.weight"},
    )


FORM = Form(
    name="recurrent",
    config=RecurrentConfig,
    model=Recurrent,
    shape=RecurrentShape,
    tokens="embed.weight",
    start="glorot",
    grows=None,
    padding="attention_mask",
    folder=recurrent_folder(RecurrentConfig),
)
