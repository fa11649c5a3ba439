"""Which optimiser updates which weights.

All follow the gradient downhill; they differ in the state that they keep. *SGD* keeps none,
*momentum* an average of past gradients, *RMSprop*, *AdaGrad* and *Adam* also how large each
weight's gradients were, so that each weight has a rate of its own; *AdamW* (Loshchilov & Hutter
2019, https://arxiv.org/abs/1711.05101) takes weight decay out of that bookkeeping; *Muon* (see
`muon.py`) treats a matrix as a whole.

Weight decay is for matrices only: pulling a norm's weight or a bias towards zero would fight
what it is for.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from vitral.training.optimization.muon import Muon
from vitral.training.recipes.recipe import OptimizerChoice

RATES = {
    "sgd": 0.1,
    "momentum": 0.03,
    "rmsprop": 0.001,
    "adagrad": 0.01,
    "adam": 0.002,
    "adamw": 0.002,
    "muon": 0.02,
}
"""The peak learning rate of each kind if the recipe gives none."""

VECTOR_DECAY = 0.01
"""Weight decay of the token vectors in a run with Muon."""


def build_optimizers(
    model: nn.Module, choice: OptimizerChoice, *, precision: str = "float32"
) -> list[torch.optim.Optimizer]:
    """The optimisers of a run: one, or with Muon two. Each group keeps its peak learning rate
    as "peak"; the schedule scales it."""
    rate = choice.rate if choice.rate is not None else RATES[choice.kind]
    if choice.kind == "muon":
        optimizers = _muon(model, choice, rate, precision)
    else:
        groups = _groups(model.named_parameters(), choice.weight_decay)
        optimizers = [_build(choice, groups, rate)]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return optimizers


def _build(
    choice: OptimizerChoice, groups: list[dict[str, Any]], rate: float
) -> torch.optim.Optimizer:
    if choice.kind in ("sgd", "momentum"):
        momentum = choice.momentum if choice.kind == "momentum" else 0.0
        return torch.optim.SGD(groups, lr=rate, momentum=momentum)
    if choice.kind == "rmsprop":
        return torch.optim.RMSprop(groups, lr=rate)
    if choice.kind == "adagrad":
        return torch.optim.Adagrad(groups, lr=rate)
    if choice.kind == "adam":
        return torch.optim.Adam(groups, lr=rate, betas=choice.betas, fused=True)
    return torch.optim.AdamW(groups, lr=rate, betas=choice.betas, fused=True)


def _muon(
    model: nn.Module, choice: OptimizerChoice, rate: float, precision: str
) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks, AdamW for everything else."""
    inside = [
        weight
        for name, weight in model.named_parameters()
        if weight.ndim == 2 and name.startswith(("layers.", "encoder.", "decoder."))
    ]
    moved = {id(weight) for weight in inside}
    others = [(name, w) for name, w in model.named_parameters() if id(w) not in moved]
    groups = _groups(others, VECTOR_DECAY)
    if model.config.kind == "encoder":  # type: ignore[union-attr]
        groups = _slow_positions(model, groups, choice.vector_rate)
    vectors = torch.optim.AdamW(
        groups,
        lr=choice.vector_rate,
        betas=choice.betas,
        fused=True,
    )
    if not inside:
        return [vectors]
    muon = Muon(
        inside,
        lr=rate,
        momentum=choice.momentum,
        weight_decay=choice.weight_decay,
        products=torch.bfloat16 if precision == "bfloat16" else None,
    )
    return [muon, vectors]


def _groups(weights: Iterable[tuple[str, Tensor]], weight_decay: float) -> list[dict[str, Any]]:
    """Matrices, which decay, and vectors, which do not."""
    matrices: list[Tensor] = []
    vectors: list[Tensor] = []
    for _, weight in weights:
        (matrices if weight.ndim >= 2 else vectors).append(weight)
    groups = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def _slow_positions(
    model: nn.Module, groups: list[dict[str, Any]], rate: float
) -> list[dict[str, Any]]:
    """An encoder's positions in a group of their own. They start as sinusoids
    (`initialisation`), which a full rate would destroy before they are used."""
    positions = [w for name, w in model.named_parameters() if name.endswith("positions.weight")]
    slow = {id(weight) for weight in positions}
    rest = [
        group | {"params": [weight for weight in group["params"] if id(weight) not in slow]}
        for group in groups
    ]
    return [*rest, {"params": positions, "weight_decay": 0.0, "lr": 0.1 * rate}]
