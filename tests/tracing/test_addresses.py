"""Addresses stand in the order in which a model computes."""

import random

import pytest

from vitral.tracing.addresses import Address, in_order, unknown
from vitral.tracing.parts import layers_of, num_layers_in, parts_of

STACKS = ("encoder", "decoder")

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


@pytest.mark.parametrize(
    ("address", "stack", "layer", "value"),
    [
        ("encoder.layers.12.mlp.out", "encoder", 12, "mlp.out"),
        ("layers.0.cross_attention_2.pattern", "", 0, "cross_attention_2.pattern"),
        ("vision_model.embed", "vision_model", None, "embed"),
        ("embed", "", None, "embed"),
        ("logits", "", None, "logits"),
    ],
)
def test_an_address_taken_apart_and_put_together(
    address: str, stack: str, layer: int | None, value: str
) -> None:
    assert Address.parse(address) == Address(stack, layer, value)
    assert str(Address.parse(address)) == address


def test_other_addresses_of_the_same_place() -> None:
    place = Address.parse("decoder.layers.5.cross_attention.pattern")
    assert place.is_cross
    assert not Address.parse("layers.5.attention.q").is_cross
    assert place.of("residual.post") == "decoder.layers.5.residual.post"
    assert place.in_layer(0) == "decoder.layers.0.cross_attention.pattern"
    assert place.left_open() == "decoder.layers.{layer}.cross_attention.pattern"


def test_parts_of_a_model() -> None:
    names = ["decoder.layers.0.cross_attention", *(f"{s}.layers.0.attention" for s in STACKS)]
    parts = parts_of(
        [*names, "decoder.layers.0.cross_attention_2", "speech.layers.1.cross_attention"]
    )
    assert list(parts) == ["encoder", "decoder", "cross", "speech_cross"]
    assert parts["cross"].address("attention.q", 3) == "decoder.layers.3.cross_attention.q"
    assert parts["cross"].address("residual.post", 3) == "decoder.layers.3.residual.post"
    assert parts["encoder"].address("embed") == "encoder.embed"
    assert parts_of(["layers.4.attention"])[""].address_in_any_layer("attention.pattern") == (
        "layers.{layer}.attention.pattern"
    )


def test_layers_may_have_gaps() -> None:
    part = parts_of(["layers.2.attention"])[""]
    kept = {"layers.10.attention": 10, "layers.2.attention": 2, "layers.2.attention_2": 3}
    assert layers_of(part, kept) == {2: 2, 10: 10}
    assert num_layers_in("", [*kept, "layers.11.mlp.out", "encoder.layers.40.mlp.out"]) == 12


def test_the_nearest_are_named() -> None:
    assert "logits" in str(unknown("logit", ORDER))
    assert unknown("", ORDER).key == "address_unknown"
