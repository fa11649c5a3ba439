"""NaN and infinity in a model are reported with the first address where they stand."""

from typing import Any

import pytest
import torch
from torch import nn

import vitral
from parity.random_models import random_model

IDS = [3, 8, 5, 9, 11, 4, 7]


def spoilt(family: str, path: str, value: float, row: Any = slice(None)) -> nn.Module:
    module = random_model(family)
    with torch.no_grad():
        module.get_parameter(path)[row] = value
    return module


@pytest.mark.parametrize(
    ("family", "path", "value", "address", "what"),
    [
        ("gpt2", "transformer.wpe.weight", float("nan"), "embed", "NaN"),
        ("gpt2", "transformer.h.1.attn.c_attn.bias", float("nan"), "layers.1.attention.q", "NaN"),
        ("gpt2", "transformer.h.1.attn.c_proj.bias", float("inf"), "layers.1.attention.out", "∞"),
        ("gpt2", "transformer.h.2.mlp.c_proj.bias", float("nan"), "layers.2.mlp.out", "NaN"),
        (
            "llama",
            "model.layers.0.self_attn.v_proj.weight",
            float("nan"),
            "layers.0.attention.v",
            "NaN",
        ),
        ("llama", "lm_head.weight", float("nan"), "logits", "NaN"),
        ("bert", "bert.encoder.layer.2.output.dense.bias", float("inf"), "layers.2.mlp.out", "∞"),
    ],
)
def test_the_first_address_is_named(
    family: str, path: str, value: float, address: str, what: str
) -> None:
    with pytest.raises(vitral.VitralError) as raised:
        vitral.load(spoilt(family, path, value)).trace(ids=IDS)
    assert raised.value.key == "not_finite"
    assert raised.value.values["address"] == address
    assert raised.value.values["what"] == what


def test_the_first_token_is_named() -> None:
    module = spoilt("gpt2", "transformer.wte.weight", float("nan"), IDS[4])
    with pytest.raises(vitral.VitralError) as raised:
        vitral.load(module).trace(ids=IDS)
    assert (raised.value.values["address"], raised.value.values["token"]) == ("embed", 4)


def test_minus_infinity_in_the_logits_is_no_fault() -> None:
    module = random_model("gpt2")

    def rule_out(_: nn.Module, __: Any, output: torch.Tensor) -> torch.Tensor:
        return output.index_fill(-1, torch.tensor([0]), float("-inf"))

    module.lm_head.register_forward_hook(rule_out)
    trace = vitral.load(module).trace(ids=IDS)
    assert trace["logits"][:, 0].isneginf().all()


def test_a_value_whose_sum_overflows_is_still_finite() -> None:
    module = random_model("gpt2")
    with torch.no_grad():
        module.transformer.wte.weight[IDS[0]] = 3e37
    trace = vitral.load(module).trace(ids=IDS[:1])
    assert trace["embed"].isfinite().all()
