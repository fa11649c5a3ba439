"""Sequence to sequence with recurrent networks (Sutskever et al. 2014,
https://arxiv.org/abs/1409.3215), without attention and with the two that came first.

    source ids → token vectors → N recurrent layers, in both directions → memory, last states
    target ids → token vectors → N recurrent layers, which begin with these states → logits

Without attention the last states are all that the decoder learns of the source: one vector for a
word as for a page. With attention, the decoder's first layer looks at the whole memory at each
step: "additive" as Bahdanau et al. 2015, "dot" or "general" as Luong et al. 2015
(`nn.recurrent_decoder_layer` tells them apart), everywhere or in a window (`local`). The layers
above read what the first one found (Wu et al. 2016, https://arxiv.org/abs/1609.08144).

In a trace, `decoder.layers.0.cross_attention.pattern` is the alignment: which part of the source
each word of the answer comes from. (A row is the step that reads a token, and so looks for the
*next* one.)

Reader, writer and the map to the logits share one table of token vectors.

    >>> model = RecurrentSequenceToSequence(RecurrentSequenceToSequenceConfig(
    ...     vocab_size=50, hidden_size=32, num_layers=1, cell="gru", attention="additive"))
    >>> model(torch.ones(1, 7, dtype=torch.long), torch.ones(1, 3, dtype=torch.long)).shape
    torch.Size([1, 3, 50])

Shapes: B batch, S tokens of the source, T tokens of the target, C width, V vocabulary.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.models.configuration import ModelConfig
from vitral.models.form import Form
from vitral.models.recurrent import AnyRecurrentShape, check_choice, recurrent_folder
from vitral.models.shape import Depth, NoMultiple, Places
from vitral.nn.recurrent import FUSED, RecurrentLayer, hand_over
from vitral.nn.recurrent_attention import AnswerState, Local, RecurrentMemory, Score
from vitral.nn.recurrent_decoder_layer import RecurrentDecoderLayer


@dataclass
class RecurrentSequenceToSequenceConfig(ModelConfig):
    """The shape of a recurrent encoder–decoder.

    `cell` is "rnn", "lstm" or "gru"; `attention` "none", "additive", "dot" or "general"; `local`
    "none", "monotonic" or "predictive", with windows of `window` places to each side. A
    `bidirectional` encoder gives half of the width to each direction. `context` is for training
    only: it limits nothing afterwards.

    Raises VitralError `model_option` for another cell, attention or window; `option_invalid` for
    a window of no place; `option_value_wrong` for an odd width that two directions should share.
    """

    architecture = "RecurrentSequenceToSequence"
    kind = "encoder-decoder"
    limited = False

    vocab_size: int = 8192
    context: int = 256
    hidden_size: int = 256
    num_layers: int = 1
    num_heads: int = 1
    intermediate_size: int = 0
    num_key_value_heads: int = 1
    epsilon: float = 0.0
    activation: str = "tanh"
    cell: str = "lstm"
    attention: Score = "additive"
    local: Local = "none"
    window: int = 10
    bidirectional: bool = True
    dropout: float = 0.0
    pad_token_id: int = 0
    decoder_start_token_id: int = 0
    eos_token_id: int = 1

    def __post_init__(self) -> None:
        check_choice("cell", self.cell, tuple(FUSED))
        check_choice("attention", self.attention, get_args(Score))
        check_choice("local", self.local, get_args(Local))
        if self.window < 1:
            raise VitralError("option_invalid", option="window", value=self.window, least=1)
        if self.bidirectional and self.hidden_size % 2:
            size = self.hidden_size
            raise VitralError(
                "option_value_wrong", option="hidden_size", value=size, example=size + 1
            )
        if self.attention == "none":
            self.num_heads = self.num_key_value_heads = 0


class RecurrentEncoder(nn.Module):
    """The encoder's layers."""

    def __init__(self, config: RecurrentSequenceToSequenceConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            RecurrentLayer(
                config.cell,
                config.hidden_size,
                config.hidden_size,
                bidirectional=config.bidirectional,
            )
            for _ in range(config.num_layers)
        )


class RecurrentDecoder(nn.Module):
    """The decoder's layers; the first one attends to the source."""

    def __init__(self, config: RecurrentSequenceToSequenceConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            RecurrentDecoderLayer(
                config.cell,
                config.hidden_size,
                config.attention if number == 0 else "none",
                config.local,
                config.window,
            )
            for number in range(config.num_layers)
        )


class RecurrentSequenceToSequence(nn.Module):
    """A recurrent encoder and decoder."""

    def __init__(self, config: RecurrentSequenceToSequenceConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab_size, config.hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        self.encoder = RecurrentEncoder(config)
        self.decoder = RecurrentDecoder(config)
        self.head = nn.Linear(config.hidden_size, config.vocab_size)
        self.head.weight = self.embed.weight

    def encode(self, ids_BS: Tensor, attention_mask_BS: Tensor | None = None) -> RecurrentMemory:
        """The memory of the source. `attention_mask_BS` is 0 at padding."""
        x_BSC = self.dropout(self.embed(ids_BS))
        states = []
        for layer in self.encoder.layers:
            x_BSC, state = layer(x_BSC, attention_mask_BS)
            x_BSC = self.dropout(x_BSC)
            states.append(hand_over(state))
        return RecurrentMemory.of(x_BSC, attention_mask_BS, states)

    def decode(
        self,
        decoder_ids_BT: Tensor,
        memory: RecurrentMemory,
        attention_mask_BS: Tensor | None = None,
        decoder_attention_mask_BT: Tensor | None = None,
        cache: AnswerState | None = None,
    ) -> Tensor:
        """Logits [B, T, V] for the token after each of `decoder_ids_BT`.

        The memory knows where its padding is, so `attention_mask_BS` is not asked. With a
        `cache`, the ids are only the new tokens; the decoder's mask covers all.
        """
        cache = self.new_cache() if cache is None else cache
        num_new = decoder_ids_BT.shape[1]
        steps_BT = _places(decoder_ids_BT, cache.length, decoder_attention_mask_BT)
        padding_BT = decoder_attention_mask_BT
        if padding_BT is not None:
            padding_BT = None if bool(padding_BT.all()) else padding_BT[:, -num_new:]
        x_BTC = self.dropout(self.embed(decoder_ids_BT))
        for number, layer in enumerate(self.decoder.layers):
            state = cache.layers[number] or memory.states[number]
            x_BTC, cache.layers[number] = layer(x_BTC, memory, state, steps_BT, padding_BT)
            x_BTC = self.dropout(x_BTC)
        cache.length += num_new
        logits_BTV: Tensor = self.head(x_BTC)
        return logits_BTV

    def forward(
        self,
        ids_BS: Tensor,
        decoder_ids_BT: Tensor,
        attention_mask_BS: Tensor | None = None,
        decoder_attention_mask_BT: Tensor | None = None,
        cache: AnswerState | None = None,
    ) -> Tensor:
        """Logits [B, T, V]: for each place of the target, the token that follows, given the
        source and the target so far (teacher forcing). Masks are 0 at padding.

        With a `cache`, the decoder's ids are only the new ones, and the source is read once.
        """
        memory = None if cache is None else cache.memory
        if memory is None:
            memory = self.encode(ids_BS, attention_mask_BS)
            if cache is not None:
                cache.memory = memory
        return self.decode(decoder_ids_BT, memory, None, decoder_attention_mask_BT, cache)

    def new_cache(self) -> AnswerState:
        """The decoder's state before it reads anything: none yet, the encoder's will be taken."""
        return AnswerState(self.config.num_layers)


def _places(ids_BT: Tensor, past: int, padding_BT: Tensor | None) -> Tensor:
    """Each token's place in its text, [1 or B, T]; padding is not counted."""
    num_new = ids_BT.shape[1]
    if padding_BT is None:
        return torch.arange(past, past + num_new, device=ids_BT.device)[None].expand_as(ids_BT)
    return (padding_BT.long().cumsum(dim=1) - 1).clamp_min(0)[:, -num_new:]


class RecurrentSequenceToSequenceShape(AnyRecurrentShape):
    """A recurrent encoder and decoder. `attention` is Bahdanau's ("additive") or Luong's ("dot",
    "general"); `local` lets it look only at `window` places to each side of one, which goes
    forward step by step ("monotonic") or is guessed ("predictive")."""

    form: Literal["recurrent_sequence_to_sequence"]
    num_layers: Depth = 1
    attention: Score = "additive"
    local: Local = "none"
    window: Places = 10
    bidirectional: bool = True

    def not_multiples(self) -> Iterator[NoMultiple]:
        if self.bidirectional and self.hidden_size % 2:
            yield NoMultiple("hidden_size", self.hidden_size, 2, "bidirectional")


FORM = Form(
    name="recurrent_sequence_to_sequence",
    config=RecurrentSequenceToSequenceConfig,
    model=RecurrentSequenceToSequence,
    shape=RecurrentSequenceToSequenceShape,
    marks=("pad_token_id", "decoder_start_token_id", "eos_token_id"),
    tokens="embed.weight",
    start="glorot",
    grows=None,
    folder=recurrent_folder(RecurrentSequenceToSequenceConfig),
)
