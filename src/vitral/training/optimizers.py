"""Which optimiser moves which weights.

Muon takes the matrices inside the blocks. AdamW (Loshchilov & Hutter 2019) takes the rest:
token and position vectors, of which each step touches a few, and the vectors of norms and
biases. Weight decay is for matrices only: pulling a norm's weight towards zero would fight
what the norm is for.
"""

import torch
from torch import nn

from vitral.training.muon import Muon
from vitral.training.recipe import Recipe


def build_optimizers(model: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the blocks' matrices, AdamW for everything else. Each group keeps its full
    learning rate as "peak"; the schedule scales it."""
    layers = model.get_submodule("layers")
    matrices = [weight for weight in layers.parameters() if weight.ndim == 2]
    inside = {id(weight) for weight in matrices}
    positions = [w for name, w in model.named_parameters() if name.endswith("positions.weight")]
    inside |= {id(weight) for weight in positions}
    others = [weight for weight in model.parameters() if id(weight) not in inside]
    optimizers: list[torch.optim.Optimizer] = [
        Muon(matrices, lr=recipe.matrix_rate, weight_decay=recipe.weight_decay),
        torch.optim.AdamW(
            [
                {"params": [w for w in others if w.ndim == 2], "weight_decay": 0.01},
                {"params": [w for w in others if w.ndim < 2], "weight_decay": 0.0},
                # Positions start as waves; a full rate would scramble them before they are used.
                {"params": positions, "weight_decay": 0.0, "lr": 0.1 * recipe.vector_rate},
            ],
            lr=recipe.vector_rate,
            betas=(0.9, 0.98),
        ),
    ]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return optimizers


def rate_at(progress: float, recipe: Recipe) -> float:
    """The share of the full rate at `progress` (0 … 1): warm-up, stable, linear decay to 0.

    This is the warm-up–stable–decay schedule (Hu et al. 2024, https://arxiv.org/abs/2404.06395).
    """
    if progress < recipe.warm_up:
        return max(progress / recipe.warm_up, 0.01)
    if progress < recipe.decay_from:
        return 1.0
    return max((1 - progress) / (1 - recipe.decay_from), 0.0)
