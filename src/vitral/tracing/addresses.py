"""Addresses: one name for each value, whatever the model.

    embed                            the residual stream as it enters the first layer   [T, C]
    layers.5.attention.q  .k  .v     queries, keys (after rotation), values          [H, T, D]
    layers.5.attention.pattern       who looks at whom: attention weights            [H, T, S]
    layers.5.attention.lse           log-sum-exp of each row of scores                  [H, T]
    layers.5.attention.out           what attention adds to the stream                  [T, C]
    layers.5.cross_attention.…       the same, looking at the encoder
    layers.5.residual.pre  .mid  .post   the stream before, between, after the parts    [T, C]
    layers.5.mlp.out                 what the feed-forward part adds                    [T, C]
    logits                           the head's output; `output` where there is no head [T, V]

Encoder–decoders put `encoder.` or `decoder.` in front. Layers count from 0. The same names
work in Python, on the command line, in the browser's address bar and in saved files.
"""

import re
from collections.abc import Collection
from difflib import get_close_matches

from vitral.errors import VitralError

ATTENTION_PARTS = ("q", "k", "v", "pattern", "lse")
"""What is had of every attention; `out` stands among the other values."""

_LAYER = re.compile(r"layers\.(\d+)\.")


def layer_of(address: str) -> int | None:
    """The layer that an address names, if any."""
    match = _LAYER.search(address)
    return int(match[1]) if match else None


def layer_left_open(address: str) -> str:
    """An address with "{layer}" in the place of its layer's number."""
    return _LAYER.sub("layers.{layer}.", address, count=1)


def split_attention(address: str) -> tuple[str, str]:
    """An address's last word and what is before it: "layers.5.attention", "pattern"."""
    prefix, _, part = address.rpartition(".")
    return prefix, part


def in_order(addresses: Collection[str]) -> list[str]:
    """Addresses in the order in which a model computes: by part, layer, and place within it."""
    places = ("embed", "residual.pre", "attention", "cross_attention", "residual.mid", "mlp.out")

    def place(address: str) -> tuple[bool, bool, str, int, int, int]:
        part = re.split(r"(?:^|\.)(?:layers\.|embed$|logits$|output$)", address)[0]
        stack = (not part and layer_of(address) is None and address != "embed", part != "encoder")
        layer = layer_of(address)
        if layer is None:
            return (*stack, part, -1, 0, 0)
        rest = address.split(f"layers.{layer}.", 1)[1]
        within = next((i for i, name in enumerate(places) if rest.startswith(name)), len(places))
        last = rest.rpartition(".")[2]
        order = ATTENTION_PARTS.index(last) if last in ATTENTION_PARTS else len(ATTENTION_PARTS)
        return (*stack, part, layer, within, order)

    return sorted(addresses, key=place)


def unknown(address: str, known: Collection[str]) -> VitralError:
    """The error for an address that a trace does not have, naming the nearest that it has."""
    close = get_close_matches(address, known, n=3, cutoff=0.0)
    return VitralError("address_unknown", address=address, close=", ".join(close))
