"""Vitral's own optimisers on functions of one or two numbers: where each step leads."""

from collections.abc import Callable
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["sgd", "momentum", "rmsprop", "adagrad", "adam", "adamw"]

FAR = 1e12
"""A course that is farther out than this has diverged, and ends."""


def course(
    loss: "Callable[[Tensor], Tensor]",
    start: tuple[float, ...],
    kind: Kind,
    rate: float,
    num_steps: int,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
) -> list[tuple[float, ...]]:
    """The places from `start` on, one more than steps; fewer where it diverges. The place is a
    matrix of one row, since Vitral's recipes let weights decay in matrices only."""
    import torch

    from vitral.training.optimization.optimizers import build_optimizers
    from vitral.training.recipes.recipe import OptimizerChoice

    module = torch.nn.Module()
    module.place = torch.nn.Parameter(torch.tensor([start], dtype=torch.float64))
    choice = OptimizerChoice(
        kind=kind, rate=rate, momentum=momentum, weight_decay=weight_decay, betas=(0.9, 0.999)
    )
    [optimizer] = build_optimizers(module, choice)
    places = [start]
    for _ in range(num_steps):
        optimizer.zero_grad()
        with torch.enable_grad():
            loss(module.place[0]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        place = tuple(float(each) for each in module.place[0].detach())
        if not all(isfinite(each) and abs(each) < FAR for each in place):
            break
        places.append(place)
    return places


@lru_cache(maxsize=256)
def on_parabola(
    curvature: float, start: float, kind: Kind, rate: float, num_steps: int, momentum: float
) -> tuple[float, ...]:
    """A course on ½λw², whose curvature is λ."""
    found = course(lambda w: curvature / 2 * w[0] ** 2, (start,), kind, rate, num_steps, momentum)
    return tuple(place for (place,) in found)
