"""Addresses: one name for each value, whatever the model.

    embed                            the residual stream as it enters the first layer   [T, C]
    layers.5.attention.q  .k  .v     queries, keys (after rotation), values          [H, T, D]
    layers.5.attention.pattern       attention weights: queries × keys               [H, T, S]
    layers.5.attention.lse           log-sum-exp of each row of scores                  [H, T]
    layers.5.attention.out           what attention adds to the stream                  [T, C]
    layers.5.cross_attention.…       the same, over the encoder's output
    layers.5.residual.pre  .mid  .post   the stream before, between, after the parts    [T, C]
    layers.5.mlp.out                 what the feed-forward part adds                    [T, C]
    logits                           the head's output; `output` where there is no head [T, V]

Encoder–decoders put `encoder.` or `decoder.` in front. Layers count from 0. The same names
work in Python, on the command line, in the browser's address bar and in saved files.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from difflib import get_close_matches

from vitral.errors import VitralError

ATTENTION_PARTS = ("q", "k", "v", "pattern", "lse")
"""The values of every attention; `out` is one of the other values."""

CROSS = "cross_attention"
"""The word for cross-attention in an address."""

_FORM = re.compile(
    r"(?:(?P<stack>.+?)\.)?(?:layers\.(?P<layer>\d+)\.(?P<inside>.+)|(?P<whole>embed|logits|output))"
)


@dataclass(frozen=True)
class Address:
    """An address in its parts; `str` gives the address.

    `stack` is what stands in front of the layers ("" where a model has one stack), `layer` the
    layer's number, None for `embed` and the results, and `value` the name of the value:

    >>> Address.parse("decoder.layers.5.cross_attention.pattern")
    Address(stack='decoder', layer=5, value='cross_attention.pattern')
    >>> str(Address("", 5, "mlp.out"))
    'layers.5.mlp.out'
    """

    stack: str
    layer: int | None
    value: str

    @classmethod
    def parse(cls, address: str) -> "Address":
        """An address by its parts; what has another form is all `value`."""
        match = _FORM.fullmatch(address)
        if match is None:
            return cls("", None, address)
        layer = match["layer"]
        number = None if layer is None else int(layer)
        return cls(match["stack"] or "", number, match["inside"] or match["whole"])

    def __str__(self) -> str:
        return f"{self.start}{self.value}"

    @property
    def start(self) -> str:
        """What stands before the value: "decoder.layers.5."."""
        stack = f"{self.stack}." if self.stack else ""
        return stack if self.layer is None else f"{stack}layers.{self.layer}."

    @property
    def is_cross(self) -> bool:
        """Whether it is a value of cross-attention."""
        return self.value.startswith(CROSS)

    def of(self, value: str) -> str:
        """The address of another value of the same layer."""
        return str(replace(self, value=value))

    def in_layer(self, layer: int) -> str:
        """The address of the same value in another layer."""
        return str(replace(self, layer=layer))

    def left_open(self) -> str:
        """The address with "{layer}" in the place of its layer's number."""
        stack = f"{self.stack}." if self.stack else ""
        return f"{stack}layers.{{layer}}.{self.value}"


def split_attention(address: str) -> tuple[str, str]:
    """An address's last word and what is before it: "layers.5.attention", "pattern"."""
    prefix, _, part = address.rpartition(".")
    return prefix, part


def in_order(addresses: Collection[str]) -> list[str]:
    """Addresses in the order in which a model computes: by part, layer, and place within it."""
    places = ("embed", "residual.pre", "attention", "cross_attention", "residual.mid", "mlp.out")

    def place(address: str) -> tuple[bool, bool, str, int, int, int]:
        found = Address.parse(address)
        result = not found.stack and found.layer is None and found.value != "embed"
        stack = (result, found.stack != "encoder", found.stack)
        if found.layer is None:
            return (*stack, -1, 0, 0)
        value = found.value
        within = next((i for i, name in enumerate(places) if value.startswith(name)), len(places))
        last = value.rpartition(".")[2]
        order = ATTENTION_PARTS.index(last) if last in ATTENTION_PARTS else len(ATTENTION_PARTS)
        return (*stack, found.layer, within, order)

    return sorted(addresses, key=place)


def unknown(address: str, known: Collection[str]) -> VitralError:
    """The error for an address that a trace does not have, naming the nearest that it has."""
    close = get_close_matches(address, known, n=3, cutoff=0.0)
    return VitralError("address_unknown", address=address, close=", ".join(close))
