"""Muon: momentum whose every step turns a weight matrix by an orthogonal one.

The momentum of a weight matrix is usually dominated by a few directions. Muon (Jordan et al.
2024, https://kellerjordan.github.io/posts/muon/) replaces it by the nearest matrix whose
singular values are all about one, so that rare directions learn as fast as frequent ones. The
nearest orthogonal matrix is approached by a Newton–Schulz iteration, matrix products only::

    X ← a·X + b·(XXᵀ)X + c·(XXᵀ)²X        with (a, b, c) = (3.4445, -4.7750, 2.0315)

`torch.optim.Muon` does this in bfloat16 always; on a processor without bfloat16 units that is
tens of times slower than float32, so here the iteration runs in the weight's own precision
unless the processor is faster in bfloat16 (docs/log.md has the figures).
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


def orthogonalise(matrix: Tensor, steps: int = 5) -> Tensor:
    """About U·Vᵀ for a matrix U·S·Vᵀ [rows, columns]; singular values end within 0.7 … 1.2."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x: Tensor = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (torch.linalg.matrix_norm(x) + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum and decoupled weight decay, for weight matrices only.

    The update is scaled by max(1, rows / columns)^½, so that the same rate suits every shape.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        assert closure is None, "Muon takes no closure"
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                average = state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
                update = orthogonalise(parameter.grad.lerp(average, group["momentum"]))
                rows, columns = parameter.shape
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(update, alpha=-group["lr"] * max(1.0, rows / columns) ** 0.5)
