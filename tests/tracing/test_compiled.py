"""A compiled part of a model is seen and edited like any other."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import vitral
from parity.random_models import random_model
from vitral.explain import rollout

IDS = [3, 8, 5, 9, 11]


def compiled(function: Any) -> Any:
    """As torch.compile puts it around something, with no compiler to wait for."""
    return torch.compile(function, backend="eager")


def block(model: Any) -> None:
    model.model.layers[1].compile(backend="eager")


def wrapped_block(model: Any) -> None:
    model.model.layers[1] = compiled(model.model.layers[1])


def forward_of_a_block(model: Any) -> None:
    layer = model.model.layers[1]
    layer.forward = compiled(layer.forward)


def attention(model: Any) -> None:
    model.model.layers[1].self_attn.compile(backend="eager")


def whole(model: Any) -> None:
    model.compile(backend="eager")


@pytest.mark.parametrize(
    "compile_some", [block, wrapped_block, forward_of_a_block, attention, whole]
)
def test_what_is_compiled_is_seen_and_edited(compile_some: Callable[[Any], None]) -> None:
    plain, other = random_model("llama"), random_model("llama")
    compile_some(other)
    state = [dict(vars(each)) for each in other.modules()]
    traces = [vitral.load(each).trace(ids=IDS) for each in (plain, other)]
    assert traces[1].addresses() == traces[0].addresses()
    assert all(torch.equal(traces[0][name], traces[1][name]) for name in traces[0].addresses())
    assert torch.equal(rollout(traces[0]), rollout(traces[1]))
    edited = []
    for each in (plain, other):
        model = vitral.load(each)
        with model.edit() as edit:
            edit.silence(1, 2)
            edit.patch("layers.1.mlp.out", 0.5, tokens=3)
            edited.append(model.trace(ids=IDS))
    assert torch.equal(edited[0]["logits"], edited[1]["logits"])
    after = [dict(vars(each)) for each in other.modules()]
    for before, now in zip(state, after, strict=True):
        for name in ("_compiled_call_impl", "forward"):
            assert before.get(name) is now.get(name), "compiled as before"


def test_a_model_that_torch_compile_gave() -> None:
    plain = random_model("llama")
    wrapped: nn.Module = compiled(random_model("llama"))
    traces = [vitral.load(each).trace(ids=IDS) for each in (plain, wrapped)]
    assert traces[1].addresses() == traces[0].addresses()
    assert torch.equal(traces[0]["logits"], traces[1]["logits"])
