"""Reading a text piece by piece: from each new piece to the scores of the next token.

One interface for every kind of model that writes. `reader_of` gives a function that takes
the new tokens [B, T] (first the prompt, then one token at a time) and gives the logits [B, V]
of the next. The earlier pieces stay in the model's key–value cache, or in a recurrent network's
state; a model without one (for example a state-space model of transformers) reads the whole text
again, which takes longer and has the same result.

An encoder–decoder reads its encoder's text once, before the decoder's first piece.

Texts of unequal length are read together: padding stands before the shorter ones (and after an
encoder's, where `encoder_mask` is 0). It is masked, and positions are counted from each text's own
first token, so that every text is read as if it were alone. A model that does not accept a padding
mask reads them one after the other.

Our own decoders have a fast form (`generation.fast_decoder`), which is used until a trace or an
edit begins; from then on the module itself is used.

Shapes: B texts, T new tokens, S all tokens so far, V vocabulary.
"""

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.generation.fast_decoder import FastDecoder
from vitral.generation.fused_weights import can_be_fast
from vitral.models.forms import form_of
from vitral.nn.attention_call import editor, observer


class Reader(Protocol):
    """Takes the tokens [B, T] that are new since the last call; gives the next one's logits."""

    def __call__(self, new_BT: Tensor) -> Tensor: ...

    def reorder(self, rows_B: Tensor) -> None:
        """Continue from these rows of the batch, in that order, as if they had been read."""
        ...


def reader_of(
    module: nn.Module,
    *,
    encoder_ids: Tensor | None = None,
    encoder_mask: Tensor | None = None,
    use_cache: bool = True,
    num_pads: Sequence[int] | None = None,
    room: int = 0,
) -> Reader:
    """A reader of its own, at the beginning of a text, for one of Vitral's models or one of
    transformers' that writes.

    `encoder_ids` [B, S] is what an encoder–decoder reads first, `encoder_mask` 0 at its padding.
    `num_pads` gives for each text how many of the first piece's first tokens are padding, `room`
    how many tokens will be read in all, if that is known. Raises VitralError `cannot_write` for
    a model that is not made to write.
    """
    if not can_write(module):
        raise VitralError("cannot_write", model=type(module).__name__)
    if num_pads is not None and not any(num_pads):
        num_pads = None
    form = form_of(module)
    if form is not None and form.kind == "decoder":
        return OwnReader(module, use_cache, num_pads, room, padding=form.padding)
    if form is not None:
        assert encoder_ids is not None, "an encoder–decoder reads something before it writes"
        return TranslatingReader(module, use_cache, encoder_ids, encoder_mask)
    if getattr(module.config, "is_encoder_decoder", False):
        assert encoder_ids is not None, "an encoder–decoder reads something before it writes"
        inputs = {"input_ids": encoder_ids}
        if encoder_mask is not None:
            inputs["attention_mask"] = encoder_mask
        return TransformersReader(module, use_cache, inputs)
    if num_pads is not None and not _takes_padding(module):
        return EachAlone([TransformersReader(module, use_cache, {}) for _ in num_pads], num_pads)
    return TransformersReader(module, use_cache, {}, num_pads)


def _takes_padding(module: nn.Module) -> bool:
    """Whether a model of transformers accepts both a padding mask and positions."""
    accepted = inspect.signature(module.forward).parameters
    return "attention_mask" in accepted and "position_ids" in accepted


def can_write(module: nn.Module) -> bool:
    """Whether a model can generate text: one of ours, or one that transformers can generate with,
    unless its encoder reads sound or pictures instead of text."""
    form = form_of(module)
    if form is not None:
        return form.kind != "encoder"
    generates = getattr(module, "can_generate", None)
    answers = getattr(getattr(module, "config", None), "is_encoder_decoder", False)
    reads_text = not answers or getattr(module, "main_input_name", "") == "input_ids"
    return reads_text and generates is not None and bool(generates())


def kept_bytes(reader: Reader) -> int:
    """Memory of a reader's state, in bytes: its cache, and an encoder's output."""
    fast: FastDecoder | None = getattr(reader, "_fast", None)
    if fast is not None:
        return fast.num_bytes
    kept = [getattr(reader, name, None) for name in ("_cache", "_encoded")]
    storages = [
        tensor.untyped_storage()
        for part in kept
        if part is not None
        for tensor in _tensors(part, set())
    ]
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def _tensors(part: Any, seen: set[int]) -> Iterator[Tensor]:
    """All tensors in a cache of any kind."""
    if isinstance(part, Tensor):
        yield part
    elif id(part) not in seen:
        seen.add(id(part))
        inside = part if isinstance(part, list | tuple) else vars(part).values()
        for each in inside:
            if isinstance(each, Tensor | list | tuple) or hasattr(each, "__dict__"):
                yield from _tensors(each, seen)


class OwnReader:
    """Reads with a decoder of Vitral's: with its fast form unless it is traced or edited."""

    def __init__(
        self,
        model: Any,
        use_cache: bool,
        num_pads: Sequence[int] | None = None,
        room: int = 0,
        *,
        padding: str = "documents_BT",
    ) -> None:
        self._model = model
        self._num_pads = num_pads
        self._padding = padding
        self._cache: Any = None
        self._fast: FastDecoder | None = None
        self._read_BT: Tensor | None = None
        if use_cache:
            self._cache = model.new_cache()
            if not _watched() and can_be_fast(model):
                self._fast = FastDecoder(model, room=room, num_pads=num_pads)

    def __call__(self, new_BT: Tensor) -> Tensor:
        self._read_BT = _after(self._read_BT, new_BT)
        if self._fast is not None and not _watched():
            return self._fast(new_BT)
        if self._cache is None or self._fast is not None:
            new_BT, self._fast = self._read_BT, None  # from here on the module itself reads
        named: dict[str, Any] = {}
        if self._num_pads is not None:
            # As a separate document, padding is masked and not counted in positions.
            named[self._padding] = _is_text(self._num_pads, self._read_BT)
        logits: Tensor = self._model(new_BT, cache=self._cache, **named)[:, -1]
        return logits

    def reorder(self, rows_B: Tensor) -> None:
        if self._fast is not None:
            self._fast.reorder(rows_B)
        if self._cache is not None:
            self._cache.reorder(rows_B)
        if self._read_BT is not None:
            self._read_BT = self._read_BT[rows_B]


def _watched() -> bool:
    return observer.get() is not None or editor.get() is not None


class TranslatingReader:
    """Reads with an encoder–decoder of Vitral's: the source once, then what is written."""

    def __init__(
        self,
        model: Any,
        use_cache: bool,
        encoder_ids: Tensor,
        encoder_mask: Tensor | None = None,
    ) -> None:
        self._model = model
        self._encoder_ids = encoder_ids
        self._encoder_mask = encoder_mask
        self._cache: Any = model.new_cache() if use_cache else None
        self._read_BT: Tensor | None = None

    def __call__(self, new_BT: Tensor) -> Tensor:
        if self._cache is None:
            new_BT = self._read_BT = _after(self._read_BT, new_BT)
        logits_BTV: Tensor = self._model(
            self._encoder_ids,
            decoder_ids_BT=new_BT,
            attention_mask_BS=self._encoder_mask,
            cache=self._cache,
        )
        return logits_BTV[:, -1]

    def reorder(self, rows_B: Tensor) -> None:
        self._encoder_ids = self._encoder_ids[rows_B]
        if self._encoder_mask is not None:
            self._encoder_mask = self._encoder_mask[rows_B]
        if self._cache is not None:
            self._cache.reorder(rows_B)
        if self._read_BT is not None:
            self._read_BT = self._read_BT[rows_B]


class TransformersReader:
    """Reads with a model of transformers that has a language model's head."""

    def __init__(
        self,
        module: nn.Module,
        use_cache: bool,
        inputs: dict[str, Tensor],
        num_pads: Sequence[int] | None = None,
    ) -> None:
        self._module = module
        self._num_pads = num_pads
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
            named |= self._inputs
            if self._encoded is not None:
                del named["input_ids"]
                named["encoder_outputs"] = self._encoded
        if self._num_pads is not None:
            mask = named["attention_mask"] = _is_text(self._num_pads, self._read_BT)
            places = (mask.cumsum(dim=1) - 1).clamp(min=0)
            named["position_ids"] = places[:, -new_BT.shape[1] :]
        output = self._module(**named)
        self._cache = getattr(output, "past_key_values", None) if self._use_cache else None
        if self._inputs and self._encoded is None:
            from transformers.modeling_outputs import BaseModelOutput

            self._encoded = BaseModelOutput(last_hidden_state=output.encoder_last_hidden_state)
        logits: Tensor = output.logits[:, -1]
        return logits

    def reorder(self, rows_B: Tensor) -> None:
        if self._cache is not None:
            self._cache.reorder_cache(rows_B)
        if self._read_BT is not None:
            self._read_BT = self._read_BT[rows_B]


class EachAlone:
    """Reads padded texts one after the other, each with a reader of its own and no padding."""

    def __init__(self, readers: Sequence[Reader], num_pads: Sequence[int]) -> None:
        self._readers, self._num_pads = readers, num_pads

    def __call__(self, new_BT: Tensor) -> Tensor:
        rows = zip(self._readers, new_BT, self._num_pads, strict=True)
        logits = [read(new_T[None, pads:]) for read, new_T, pads in rows]
        self._num_pads = [0] * len(logits)
        return torch.cat(logits)

    def reorder(self, rows_B: Tensor) -> None:
        raise AssertionError("only the beams of one text change places")


def _is_text(num_pads: Sequence[int], read_BT: Tensor) -> Tensor:
    """[B, S]: 0 at the padding before each text, 1 in it."""
    slots_S = torch.arange(read_BT.shape[1], device=read_BT.device)
    return (slots_S >= torch.tensor(num_pads, device=read_BT.device)[:, None]).long()


def _after(read_BT: Tensor | None, new_BT: Tensor) -> Tensor:
    return new_BT if read_BT is None else torch.cat((read_BT, new_BT), dim=1)
