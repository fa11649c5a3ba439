"""Reading a text piece by piece: each new piece in, the scores of the token that follows out.

Whoever writes with a model need not know which it is. `reader_of` gives a function that takes
the new tokens [B, T] (first the prompt, then one token at a time) and gives the logits [B, V]
of the next. What was read before stays in the model's key–value cache, or in a recurrent
network's state; a model without one (a state-space model of transformers', say) reads the whole
text again, which costs time and changes nothing.

An encoder–decoder reads its encoder's text once, before the decoder's first piece.
"""

from typing import Any, Protocol

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.models.gpt import GPT
from vitral.models.llama import Llama
from vitral.models.recurrent import Recurrent
from vitral.models.recurrent_sequence_to_sequence import RecurrentSequenceToSequence
from vitral.models.transformer import Transformer
from vitral.nn.cache import KeyValueCache
from vitral.nn.recurrent import RecurrentState

DECODERS = (GPT, Llama, Recurrent)
TRANSLATORS = (Transformer, RecurrentSequenceToSequence)
"""Vitral's models that write."""


class Reader(Protocol):
    """Takes the tokens [B, T] that are new since the last call; gives the next one's logits."""

    def __call__(self, new_BT: Tensor) -> Tensor: ...

    def reorder(self, rows_B: Tensor) -> None:
        """Go on from these rows of the batch, in that order, as if they had been read."""
        ...


def reader_of(
    module: nn.Module, *, encoder_ids: Tensor | None = None, use_cache: bool = True
) -> Reader:
    """A reader of its own, at the beginning of a text, for one of Vitral's decoders or one of
    transformers' that writes. `encoder_ids` [B, S] is what an encoder–decoder reads first.

    Raises VitralError `cannot_write` for a model that is made for something else.
    """
    if not can_write(module):
        raise VitralError("cannot_write", model=type(module).__name__)
    if isinstance(module, DECODERS):
        return OwnReader(module, use_cache)
    if isinstance(module, TRANSLATORS):
        assert encoder_ids is not None, "an encoder–decoder reads something before it writes"
        return TranslatingReader(module, use_cache, encoder_ids)
    if getattr(module.config, "is_encoder_decoder", False):
        assert encoder_ids is not None, "an encoder–decoder reads something before it writes"
        return TransformersReader(module, use_cache, {"input_ids": encoder_ids})
    return TransformersReader(module, use_cache, {})


def can_write(module: nn.Module) -> bool:
    """Whether a model is made to write: a decoder of ours, or one that transformers lets
    generate."""
    generates = getattr(module, "can_generate", None)
    ours = isinstance(module, (*DECODERS, *TRANSLATORS))
    return ours or (generates is not None and bool(generates()))


class OwnReader:
    """Reads with a decoder of Vitral's."""

    def __init__(self, model: GPT | Llama | Recurrent, use_cache: bool) -> None:
        self._model = model
        self._cache: KeyValueCache | RecurrentState | None = None
        if use_cache:
            recurrent = isinstance(model, Recurrent)
            kind = RecurrentState if recurrent else KeyValueCache
            self._cache = kind(model.config.num_layers)
        self._read_BT: Tensor | None = None

    def __call__(self, new_BT: Tensor) -> Tensor:
        if self._cache is None:
            new_BT = self._read_BT = _after(self._read_BT, new_BT)
        logits: Tensor = self._model(new_BT, cache=self._cache)[:, -1]
        return logits

    def reorder(self, rows_B: Tensor) -> None:
        if self._cache is not None:
            self._cache.reorder(rows_B)
        if self._read_BT is not None:
            self._read_BT = self._read_BT[rows_B]


class TranslatingReader:
    """Reads with an encoder–decoder of Vitral's: the source once, then what is written."""

    def __init__(
        self,
        model: Transformer | RecurrentSequenceToSequence,
        use_cache: bool,
        encoder_ids: Tensor,
    ) -> None:
        self._model: Any = model
        self._encoder_ids = encoder_ids
        self._cache: Any = model.new_cache() if use_cache else None
        self._read_BT: Tensor | None = None

    def __call__(self, new_BT: Tensor) -> Tensor:
        if self._cache is None:
            new_BT = self._read_BT = _after(self._read_BT, new_BT)
        logits: Tensor = self._model(self._encoder_ids, decoder_ids_BT=new_BT, cache=self._cache)[
            :, -1
        ]
        return logits

    def reorder(self, rows_B: Tensor) -> None:
        self._encoder_ids = self._encoder_ids[rows_B]
        if self._cache is not None:
            self._cache.reorder(rows_B)
        if self._read_BT is not None:
            self._read_BT = self._read_BT[rows_B]


class TransformersReader:
    """Reads with a model of transformers that has a language model's head."""

    def __init__(self, module: nn.Module, use_cache: bool, inputs: dict[str, Tensor]) -> None:
        self._module = module
        self._use_cache = use_cache
        self._inputs = inputs
        self._encoded: Any = None
        self._cache: Any = None
        self._read_BT: Tensor | None = None

    def __call__(self, new_BT: Tensor) -> Tensor:
        self._read_BT = _after(self._read_BT, new_BT)
        if self._cache is None:
            new_BT = self._read_BT
        named: dict[str, Any] = {"use_cache": self._use_cache}
        if self._cache is not None:
            named["past_key_values"] = self._cache
        if not self._inputs:
            named["input_ids"] = new_BT
        else:
            named["decoder_input_ids"] = new_BT
            named |= self._inputs if self._encoded is None else {"encoder_outputs": self._encoded}
        output = self._module(**named)
        self._cache = getattr(output, "past_key_values", None) if self._use_cache else None
        if self._inputs and self._encoded is None:
            self._encoded = (output.encoder_last_hidden_state,)
        logits: Tensor = output.logits[:, -1]
        return logits

    def reorder(self, rows_B: Tensor) -> None:
        if self._cache is not None:
            self._cache.reorder_cache(rows_B)
        if self._read_BT is not None:
            self._read_BT = self._read_BT[rows_B]


def _after(read_BT: Tensor | None, new_BT: Tensor) -> Tensor:
    return new_BT if read_BT is None else torch.cat((read_BT, new_BT), dim=1)
