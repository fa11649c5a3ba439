"""Parts: the attentions that are shown together, and where in a model they stand.

Most models have one part, named "". An encoder–decoder has three: "encoder", "decoder", and
"cross", the decoder's attention to the encoder's output. A model with several stacks of layers
has one part for each, named as in the addresses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.tracing.addresses import CROSS, Address, in_order, unknown

if TYPE_CHECKING:
    from vitral.tracing.trace import Trace

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Part:
    """One part: its name, its stack of layers, and whether it is cross-attention.

    `is_cross` says that its queries and keys are of two texts.
    """

    name: str
    stack: str
    is_cross: bool

    def address(self, value: str, layer: int | None = None) -> str:
        """The address of a value of this part, in a layer where it has one.

        "attention" is the part's own: `address("attention.pattern", 5)` of "cross" is
        "decoder.layers.5.cross_attention.pattern".
        """
        return str(Address(self.stack, layer, self._own(value)))

    def address_in_any_layer(self, value: str) -> str:
        """The same with "{layer}" in the place of the layer's number."""
        return Address(self.stack, None, self._own(value)).left_open()

    def _own(self, value: str) -> str:
        word, dot, rest = value.partition(".")
        return f"{CROSS}{dot}{rest}" if self.is_cross and word == "attention" else value


def parts_of(attentions: Iterable[str]) -> dict[str, Part]:
    """The parts to which some attentions belong, by name, in the order of computation.

    If several stacks have cross-attention, the first of them is "cross" and the others are named
    after their stack: "t2u_decoder_cross".
    """
    parts: dict[str, Part] = {}
    for prefix in in_order(list(attentions)):
        place = Address.parse(prefix)
        if place.value not in ("attention", CROSS):  # a second one in the same layer
            continue
        known = {(each.stack, each.is_cross) for each in parts.values()}
        if (place.stack, place.is_cross) in known:
            continue
        name = place.stack
        if place.is_cross:
            name = "cross" if "cross" not in parts else f"{place.stack}_cross"
        parts[name] = Part(name, place.stack, place.is_cross)
    return parts


def layers_of(part: Part, attentions: Mapping[str, Kept]) -> dict[int, Kept]:
    """A part's entries of `attentions` by layer number, the first layer first."""
    found = {}
    for prefix, kept in attentions.items():
        place = Address.parse(prefix)
        if place.layer is not None and prefix == part.address("attention", place.layer):
            found[place.layer] = kept
    return dict(sorted(found.items()))


def num_layers_in(stack: str, addresses: Iterable[str]) -> int:
    """How many layers a stack has, by the addresses in it: with attention or without."""
    places = [each for each in map(Address.parse, addresses) if each.stack == stack]
    return 1 + max((each.layer for each in places if each.layer is not None), default=-1)


def stacked(rows: Mapping[int, Tensor], num_layers: int) -> Tensor:
    """One row a layer, each with one entry a head: [layers, most heads, …].

    NaN for a layer without attention, and for heads that a layer does not have.
    """
    first = next(iter(rows.values()))
    heads = max(len(row) for row in rows.values())
    table = torch.full((num_layers, heads, *first.shape[1:]), torch.nan)
    for layer, row in rows.items():
        table[layer, : len(row)] = row
    return table


def without_attention(model: str, layer: int, layers: Iterable[int]) -> VitralError:
    """The error for a layer that has none, naming those that have it."""
    known = ", ".join(map(str, layers))
    return VitralError("layer_without_attention", model=model, layer=layer, layers=known)


def unknown_part(part: str | None, known: Iterable[str]) -> VitralError:
    """The error for an unknown part; it names the known ones."""
    named = ", ".join(filter(None, known))
    if not named:
        return VitralError("part_single", part=part)
    return VitralError("part_unknown", part=part, known=named)


def not_there(trace: "Trace", address: str) -> VitralError:
    """The error for an address that a trace does not have: of a layer without attention, it names
    those that have it; else the nearest addresses."""
    place = Address.parse(address)
    if place.layer is not None and place.value.startswith(("attention.", f"{CROSS}.")):
        for part in parts_of(trace.attentions).values():
            if (part.stack, part.is_cross) == (place.stack, place.is_cross):
                layers = trace.layers(part.name)
                if place.layer not in layers and place.layer < trace.num_blocks(part.name):
                    return without_attention(trace.model, place.layer, layers)
    return unknown(address, trace.addresses())
