from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from tests.training.word_runs import VOCABULARY, recipe
from torch import Tensor, nn

from vitral.training.optimization.muon import Muon
from vitral.training.optimization.optimizers import RATES, build_optimizers
from vitral.training.recipes.recipe import OptimizerChoice
from vitral.training.recipes.shapes import build_model

KINDS = get_args(OptimizerChoice.model_fields["kind"].annotation)
RATE, DECAY, MOMENTUM, BETAS = 0.1, 0.2, 0.9, (0.8, 0.95)


def model(form: str = "gpt2") -> nn.Module:
    torch.manual_seed(0)
    return build_model(recipe(form).model, VOCABULARY)


def choice(kind: str, **changes: Any) -> OptimizerChoice:
    entries = {"weight_decay": DECAY, "momentum": MOMENTUM, "betas": BETAS} | changes
    return OptimizerChoice.model_validate(entries | {"kind": kind})


def step(optimizers: list[torch.optim.Optimizer]) -> None:
    for optimizer in optimizers:
        optimizer.step()


def test_every_kind_has_a_rate() -> None:
    assert set(RATES) == set(KINDS)


@pytest.mark.parametrize("form", ["gpt2", "llama", "bert"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_weight_is_moved_by_one_optimiser(kind: str, form: str) -> None:
    moved = model(form)
    optimizers = build_optimizers(moved, choice(kind))
    handled = [id(w) for o in optimizers for group in o.param_groups for w in group["params"]]
    assert sorted(handled) == sorted(id(weight) for weight in moved.parameters())
    before = {name: weight.detach().clone() for name, weight in moved.named_parameters()}
    for weight in moved.parameters():
        weight.grad = torch.randn_like(weight)
    step(optimizers)
    for name, weight in moved.named_parameters():
        assert not torch.equal(weight, before[name]), name


@pytest.mark.parametrize("form", ["gpt2", "bert"])
def test_muon_moves_the_matrices_inside_the_blocks_only(form: str) -> None:
    built = model(form)
    muon, vectors = build_optimizers(built, choice("muon"))
    assert isinstance(muon, Muon)
    assert isinstance(vectors, torch.optim.AdamW)
    names = {id(weight): name for name, weight in built.named_parameters()}
    inside = {names[id(weight)] for weight in muon.param_groups[0]["params"]}
    parts = ("q", "k", "v", "o")
    expected = {f"layers.{n}.attention.{part}_proj.weight" for n in range(2) for part in parts}
    expected |= {f"layers.{n}.mlp.{part}_proj.weight" for n in range(2) for part in ("up", "down")}
    assert inside == expected


def test_an_encoders_positions_are_moved_slowly_and_do_not_decay() -> None:
    built = model("bert")
    _, vectors = build_optimizers(built, choice("muon", vector_rate=0.01))
    wanted = built.embed.positions.weight  # type: ignore[union-attr]
    group = next(g for g in vectors.param_groups if any(w is wanted for w in g["params"]))
    assert group["lr"] == group["peak"] == pytest.approx(0.001)
    assert group["weight_decay"] == 0
    others = [g for g in vectors.param_groups if g is not group]
    assert [g["peak"] for g in others] == [0.01, 0.01]


@pytest.mark.parametrize("kind", KINDS)
def test_only_matrices_decay(kind: str) -> None:
    """Gradients of nothing: what still moves is what decays."""
    built = model("bert")
    before = {name: weight.detach().clone() for name, weight in built.named_parameters()}
    for weight in built.parameters():
        weight.grad = torch.zeros_like(weight)
    step(build_optimizers(built, choice(kind)))
    for name, weight in built.named_parameters():
        if weight.ndim < 2 or (kind == "muon" and name == "embed.positions.weight"):
            assert torch.equal(weight, before[name]), name
        else:
            towards_nothing = (before[name] - weight) * before[name]
            assert (towards_nothing[before[name] != 0] > 0).all(), name


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_decoupled_decay_shrinks_a_matrix_by_rate_times_decay(kind: str) -> None:
    built = model()
    weight = built.get_parameter("layers.0.mlp.up_proj.weight")
    before = weight.detach().clone()
    for each in built.parameters():
        each.grad = torch.zeros_like(each)
    step(build_optimizers(built, choice(kind, rate=RATE)))
    torch.testing.assert_close(weight.detach(), before * (1 - RATE * DECAY))


@pytest.mark.parametrize("kind", KINDS)
def test_the_peak_is_the_full_rate(kind: str) -> None:
    first = build_optimizers(model(), choice(kind))[0]
    assert {group["peak"] for group in first.param_groups} == {RATES[kind]}
    chosen = build_optimizers(model(), choice(kind, rate=0.3))[0]
    assert {group["peak"] for group in chosen.param_groups} == {0.3}


# The formulas, written out: each takes a weight and its gradients, and gives the weight after.


def sgd(w: Tensor, gradients: Tensor) -> Tensor:
    for g in gradients:
        w = w - RATE * (g + DECAY * w)
    return w


def momentum(w: Tensor, gradients: Tensor) -> Tensor:
    speed = torch.zeros_like(w)
    for g in gradients:
        speed = MOMENTUM * speed + g + DECAY * w
        w = w - RATE * speed
    return w


def rmsprop(w: Tensor, gradients: Tensor) -> Tensor:
    squares = torch.zeros_like(w)
    for g in gradients:
        g = g + DECAY * w
        squares = 0.99 * squares + 0.01 * g**2
        w = w - RATE * g / (squares.sqrt() + 1e-8)
    return w


def adagrad(w: Tensor, gradients: Tensor) -> Tensor:
    squares = torch.zeros_like(w)
    for g in gradients:
        g = g + DECAY * w
        squares = squares + g**2
        w = w - RATE * g / (squares.sqrt() + 1e-10)
    return w


def adam(w: Tensor, gradients: Tensor, *, decoupled: bool = False) -> Tensor:
    mean, squares = torch.zeros_like(w), torch.zeros_like(w)
    for t, g in enumerate(gradients, start=1):
        if decoupled:
            w = w * (1 - RATE * DECAY)
        else:
            g = g + DECAY * w
        mean = BETAS[0] * mean + (1 - BETAS[0]) * g
        squares = BETAS[1] * squares + (1 - BETAS[1]) * g**2
        corrected = mean / (1 - BETAS[0] ** t), squares / (1 - BETAS[1] ** t)
        w = w - RATE * corrected[0] / (corrected[1].sqrt() + 1e-8)
    return w


def adamw(w: Tensor, gradients: Tensor) -> Tensor:
    return adam(w, gradients, decoupled=True)


@pytest.mark.parametrize("formula", [sgd, momentum, rmsprop, adagrad, adam, adamw])
def test_three_steps_are_the_formula_written_out(
    formula: Callable[[Tensor, Tensor], Tensor],
) -> None:
    built = model()
    weight = built.get_parameter("layers.1.attention.q_proj.weight")
    start = weight.detach().clone()
    gradients = torch.randn(3, *weight.shape, generator=torch.Generator().manual_seed(5))
    optimizers = build_optimizers(built, choice(formula.__name__, rate=RATE))
    for gradient in gradients:
        weight.grad = gradient.clone()
        step(optimizers)
    torch.testing.assert_close(weight.detach(), formula(start, gradients), atol=1e-5, rtol=1e-4)
