"""Silencing a head against an independent gate on it: its derivative, and its integral."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import vitral
from parity.random_models import random_model
from vitral.explain import ablate

IDS = [3, 8, 5, 9, 11, 30, 22]


class Gate:
    """g · (a head's slice of what the output projection reads)."""

    def __init__(self, projection: nn.Module, head: int, width: int) -> None:
        self.value = torch.ones((), dtype=torch.float32, requires_grad=True)
        self.slice = slice(head * width, (head + 1) * width)
        self.hook = projection.register_forward_pre_hook(self.apply)

    def apply(self, _: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor]:
        gates = torch.ones(args[0].shape[-1])
        place = torch.zeros_like(gates)
        place[self.slice] = 1
        return (args[0] * (gates - place + place * self.value),)


def next_token_loss(module: nn.Module) -> Tensor:
    logits = module(torch.tensor([IDS])).logits[0, :-1]
    return F.cross_entropy(logits, torch.tensor(IDS[1:]))


def gradient_at(module: nn.Module, gate: Gate, value: float) -> float:
    gate.value = torch.tensor(value, requires_grad=True)
    (gradient,) = torch.autograd.grad(next_token_loss(module), gate.value)
    return float(gradient)


@pytest.mark.parametrize(("layer", "head"), [(0, 1), (1, 3), (2, 0)])
def test_the_change_is_the_integral_of_the_gates_gradient(layer: int, head: int) -> None:
    module = random_model("gpt2")
    found = ablate(vitral.load(module), ids=IDS)
    gate = Gate(module.get_submodule(f"transformer.h.{layer}.attn.c_proj"), head, 5)
    places, weights = np.polynomial.legendre.leggauss(12)
    integral = sum(
        weight / 2 * gradient_at(module, gate, (place + 1) / 2)
        for place, weight in zip(places, weights, strict=True)
    )
    assert float(found.change[layer, head]) == pytest.approx(-integral, abs=2e-5)
    assert abs(integral) > 1e-4, "a head that does something"
    assert found.loss == pytest.approx(next_token_loss_at(module, gate, 1.0).item(), abs=1e-6)
    # The gate's derivative at one, by finite differences of an edit's.
    slope = gradient_at(module, gate, 1.0)
    gate.hook.remove()
    losses = []
    for factor in (0.99, 1.01):
        with vitral.load(module).edit() as edit, torch.no_grad():
            edit.scale(layer, head, factor)
            losses.append(next_token_loss(module).item())
    assert slope == pytest.approx((losses[1] - losses[0]) / 0.02, abs=2e-4)


def next_token_loss_at(module: nn.Module, gate: Gate, value: float) -> Tensor:
    gate.value = torch.tensor(value)
    return next_token_loss(module)


@pytest.mark.parametrize("mode", ["zero", "uniform"])
@pytest.mark.parametrize("family", ["llama", "bert"])
def test_batches_and_kept_layers_change_nothing(
    family: str, mode: Any, monkeypatch: pytest.MonkeyPatch, bert_folder: Path
) -> None:
    """The quick way against one head, one run, the whole model."""
    model = vitral.load(bert_folder) if family == "bert" else vitral.load(random_model(family))
    text: dict[str, Any] = {"text": "El gato dormía."} if family == "bert" else {"ids": IDS}
    seen: list[tuple[int, int]] = []
    quick = ablate(model, **text, mode=mode, progress=lambda *done: seen.append(done))
    assert quick.losses.shape == ((3, 4) if family == "bert" else (3, 6))
    assert seen[-1] == (quick.losses.numel(), quick.losses.numel())
    monkeypatch.setattr("vitral.explain.ablation.TOKENS_AT_ONCE", 1)
    monkeypatch.setattr("vitral.explain.ablation._repeated", repeated_never)
    monkeypatch.setattr("vitral.explain.ablation._Trial._kept_below", nothing_kept)
    slow = ablate(model, **text, mode=mode)
    torch.testing.assert_close(quick.losses, slow.losses, atol=1e-5, rtol=1e-5)
    assert quick.loss == slow.loss
    layer, head, change = quick.ranking()[0]
    assert change == float(quick.change.max()) == float(quick.change[layer, head])


def repeated_never(*_: Any) -> Any:
    raise AssertionError("nothing is kept")


class nothing_kept:  # noqa: N801  (stands in for a context manager's function)
    def __init__(self, *_: Any) -> None: ...

    def __enter__(self) -> None: ...

    def __exit__(self, *_: Any) -> None: ...


def test_an_encoder_is_asked_for_every_word_once(bert_folder: Path) -> None:
    model = vitral.load(bert_folder)
    text = "El perro que persiguió al gato cruzó la calle."
    first, again, other = (ablate(model, text, seed=seed) for seed in (0, 0, 1))
    assert first.num_predicted == len(model.tokens(text)) - 2
    assert first.loss == again.loss
    assert torch.equal(first.losses, again.losses)
    assert first.loss != other.loss


def test_the_model_is_left_as_it_was() -> None:
    module = random_model("gpt2").train()
    module.get_submodule("transformer.h.1").eval()
    before = [part.training for part in module.modules()]
    ablate(vitral.load(module), ids=IDS)
    assert [part.training for part in module.modules()] == before
    assert not any("forward" in vars(part) for part in module.modules())


@pytest.mark.parametrize(
    ("family", "options", "key"),
    [
        ("t5", {}, "ablation_kind"),
        ("vit", {}, "ablation_kind"),
        ("bert", {}, "ablation_no_mask"),
        ("gpt2", {"ids": [3]}, "ablation_too_short"),
        ("gpt2", {"mode": "none"}, "ablation_mode"),
        ("gpt2", {"ids": [3] * 99}, "text_too_long"),
        ("gpt2", {"ids": [3, 99]}, "id_out_of_range"),
    ],
)
def test_what_cannot_be_done_is_said(family: str, options: dict[str, Any], key: str) -> None:
    with pytest.raises(vitral.VitralError) as raised:
        ablate(vitral.load(random_model(family)), **({"ids": IDS} | options))
    assert raised.value.key == key
