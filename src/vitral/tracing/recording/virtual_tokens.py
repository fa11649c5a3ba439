"""Tokens that a model adds to those it is given: soft prompts, prefixes, memory.

Prompt tuning puts learned vectors before the text, prefix tuning learned keys before those of
each layer, and a model of the user's own may put anything between the tokens. They are
tokens, and named so ("[virtual-0]"). Where they stand is measured: the model is run once more on
other ids, and what stays as it was, in the stream that enters the first layer and among that
layer's keys, is none of the text's.

    trace.tokens         # of a soft prompt: [virtual-0], [virtual-1], El, gato, …
    trace.key_tokens()   # of a prefix: the same; trace.tokens are those of the text, which look
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.models.description import number, pad_id
from vitral.tracing.memory.store import Store
from vitral.tracing.parts import Part, layers_of, parts_of
from vitral.tracing.recording.forward_pass import Recording, record
from vitral.tracing.recording.inputs import Batch, arguments, pad
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace

NOISE = 1e-6
"""A vector that changes by less than this share of its size has not changed."""


@dataclass(frozen=True)
class Places:
    """Where the tokens that were given stand among the `length` that there are."""

    given: tuple[int, ...]
    length: int

    def among(self, tokens: Sequence[Token]) -> list[Token]:
        """All tokens, the virtual ones between those that were given."""
        found = dict(zip(self.given, tokens, strict=True))
        virtual = iter(range(self.length))
        return [
            found[place] if place in found else Token.of_virtual(next(virtual))
            for place in range(self.length)
        ]


@dataclass(frozen=True)
class Placed:
    """Where the tokens of a batch's rows stand: in what the model's text part reads, in what its
    decoder reads, and among the keys of those parts that have others than their queries."""

    source: Places | None
    target: Places | None
    by_part: Mapping[str, tuple[bool, Places]]

    @classmethod
    def of(
        cls,
        module: nn.Module,
        recording: Recording,
        batch: Batch,
        decoder: Batch | None,
        beside: Mapping[str, Any],
    ) -> "Placed":
        """Compare what was recorded with the batch that was read.

        Raises VitralError `tokens_unplaced` where more was read than was given, and it cannot be
        told what.
        """
        looked = _Looked(recording, batch, decoder)
        if not looked.more:
            return cls(None, None, {})
        other = [None if each is None else _others(module, each) for each in (batch, decoder)]
        assert other[0] is not None
        args, named = arguments(module, other[0], other[1], beside)
        again = record(module, args, named, store=Store(), measured=False)
        return looked.compared(again, type(module).__name__)

    def read(self, tokens: list[Token]) -> list[Token]:
        """What stands in the place of the tokens that were given."""
        return tokens if self.source is None else self.source.among(tokens)

    def written(self, tokens: list[Token]) -> list[Token]:
        """The same of those that the decoder was given."""
        return tokens if self.target is None else self.target.among(tokens)

    def keys(self, tokens: list[Token], written: list[Token]) -> dict[str, list[Token]]:
        """The key tokens of those parts that have others than their queries."""
        return {
            part: places.among(written if of_target else tokens)
            for part, (of_target, places) in self.by_part.items()
        }


class _Looked:
    """A recording, beside what the model was given: which parts read more than that."""

    def __init__(self, recording: Recording, batch: Batch, decoder: Batch | None) -> None:
        self.source_length = batch.ids.shape[1]
        self.target_length = None if decoder is None else decoder.ids.shape[1]
        self.trace = _bare(recording)
        parts = parts_of(recording.recorder.attentions)
        first = next(iter(parts), None)
        self.parts = {
            name: part
            for name, part in parts.items()
            if name in (first, "encoder", "decoder", "cross")
        }
        self.more = any(
            queries > self._given(name, keys=False) or keys > self._given(name, keys=True)
            for name in self.parts
            for queries, keys in [self._size(name)]
        )

    def compared(self, again: Recording, model: str) -> Placed:
        """Where the tokens stand, by what is another thing in the second recording."""
        other = _bare(again)
        source = target = None
        by_part: dict[str, tuple[bool, Places]] = {}
        for name in self.parts:
            queries, _ = self._size(name)
            given = self._given(name, keys=False)
            if name != "cross" and queries > given:
                places = self._stream(name, other, given, model)
                if self._of_target(name, keys=False):
                    target = places
                else:
                    source = places
        for name in self.parts:
            _, keys = self._size(name)
            of_target = self._of_target(name, keys=True)
            known = target if of_target else source
            if keys > (self._given(name, keys=True) if known is None else known.length):
                layer = next(iter(layers_of(self.parts[name], self.trace.attentions)))
                address = self.parts[name].address("attention", layer)
                changed = _changed(
                    self.trace.attentions[address].key.transpose(0, 1).flatten(1),
                    other.attentions[address].key.transpose(0, 1).flatten(1),
                )
                by_part[name] = of_target, _places(changed, self._given(name, keys=True), model)
        return Placed(source, target, by_part)

    def _stream(self, name: str, other: Trace, given: int, model: str) -> Places:
        part = self.parts[name]
        embed = f"{part.stack}.embed" if part.stack else "embed"
        if embed not in self.trace.values or embed not in other.values:
            raise VitralError("tokens_unplaced", model=model)
        changed = _changed(self.trace.values[embed], other.values[embed])
        return _places(changed, given, model)

    def _of_target(self, name: str, *, keys: bool) -> bool:
        if self.target_length is None:
            return False
        return name == "decoder" or (name == "cross" and not keys)

    def _given(self, name: str, *, keys: bool) -> int:
        target = self.target_length
        return (
            target
            if target is not None and self._of_target(name, keys=keys)
            else (self.source_length)
        )

    def _size(self, name: str) -> tuple[int, int]:
        part: Part = self.parts[name]
        first = next(iter(layers_of(part, self.trace.attentions).values()))
        return first.num_queries, first.num_keys


def _bare(recording: Recording) -> Trace:
    return recording.trace(0, model="", text=None, tokens=[], decoder_tokens=[])


def _changed(before: Tensor, after: Tensor) -> Tensor:
    """Which vectors [n, C] are not what they were: bool [n]; none of them if the sizes differ."""
    if before.shape != after.shape or before.dim() != 2:
        return torch.zeros(1, dtype=torch.bool)
    before, after = before.float(), after.float()
    return (before - after).abs().amax(-1) > NOISE * before.abs().amax().clamp(min=1e-30)


def _places(changed: Tensor, given: int, model: str) -> Places:
    """Raises VitralError `tokens_unplaced` where not as many changed as were given."""
    found = tuple(changed.nonzero()[:, 0].tolist())
    if len(found) != given:
        raise VitralError("tokens_unplaced", model=model)
    return Places(found, len(changed))


def _others(module: nn.Module, batch: Batch) -> Batch:
    """A batch of the same shape, with another id in every place."""
    highest = int(batch.ids.max())
    size = number(module, "vocab_size") or highest + 1
    avoided = {pad_id(module, None)} | {
        number(module, name) for name in ("bos_token_id", "eos_token_id")
    }
    usable = [each for each in range(min(size, highest + 8)) if each not in avoided]
    rows = [
        [next((each for each in reversed(usable) if each != id_), id_) for id_ in row]
        for row in batch.ids[:1].tolist()
    ]
    return pad(rows, 0)
