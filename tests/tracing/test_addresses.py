"""Addresses stand in the order in which a model computes."""

import random

from vitral.tracing.addresses import in_order, layer_of, unknown

ORDER = [
    "encoder.embed",
    "encoder.layers.0.residual.pre",
    "encoder.layers.0.attention.q",
    "encoder.layers.0.attention.pattern",
    "encoder.layers.0.attention.out",
    "encoder.layers.0.residual.mid",
    "encoder.layers.0.mlp.out",
    "encoder.layers.0.residual.post",
    "encoder.layers.2.attention.q",
    "encoder.layers.10.attention.q",
    "decoder.embed",
    "decoder.layers.0.attention.out",
    "decoder.layers.0.cross_attention.q",
    "decoder.layers.0.residual.mid",
    "logits",
]


def test_order() -> None:
    mixed = random.Random(0).sample(ORDER, len(ORDER))
    assert in_order(mixed) == ORDER
    alone = ["embed", "layers.0.attention.q", "layers.1.mlp.out", "output"]
    assert in_order(alone[::-1]) == alone


def test_layers() -> None:
    assert layer_of("encoder.layers.12.mlp.out") == 12
    assert layer_of("logits") is None


def test_the_nearest_are_named() -> None:
    assert "logits" in str(unknown("logit", ORDER))
    assert unknown("", ORDER).key == "address_unknown"
