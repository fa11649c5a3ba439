"""Muon: momentum whose steps are orthogonal matrices.

The momentum of a weight matrix is usually dominated by a few directions. Muon (Jordan et al.
2024, https://kellerjordan.github.io/posts/muon/) replaces it by the nearest matrix whose
singular values are all about one, so that rare directions learn as fast as frequent ones. The
nearest orthogonal matrix is approached by a Newton–Schulz iteration, matrix products only::

    X ← a·X + b·(XXᵀ)X + c·(XXᵀ)²X        with (a, b, c) = (3.4445, -4.7750, 2.0315)

Matrices of one shape go through it together, as one batch: a small model has many small ones.
`torch.optim.Muon` takes them one by one and always in bfloat16, which on a CPU without
bfloat16 units is tens of times slower than float32 (docs/log.md has the figures).

Shapes: N matrices, R rows, C columns.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalise(x_NRC: Tensor, steps: int = 5, products: torch.dtype | None = None) -> Tensor:
    """About U·Vᵀ for matrices U·S·Vᵀ [..., R, C]; singular values end within 0.7 … 1.2. The
    products are computed as `products`, by default in the matrices' own precision."""
    a, b, c = COEFFICIENTS
    rows, columns = x_NRC.shape[-2:]
    x: Tensor = x_NRC.reshape(-1, rows, columns)
    x = x.mT if rows > columns else x
    x = x / (torch.linalg.matrix_norm(x, keepdim=True) + 1e-7)
    x = x.to(products or x.dtype)
    for _ in range(steps):
        gram = torch.bmm(x, x.mT)
        gram = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, gram, x, beta=a)
    x = x.mT if rows > columns else x
    return x.reshape(x_NRC.shape).to(x_NRC.dtype)


def _orthogonalised(x_NRC: Tensor, products: torch.dtype | None) -> Tensor:
    """The same where the matrices may be spread over several processes."""
    if type(x_NRC) is Tensor:
        return orthogonalise(x_NRC, products=products)
    from vitral.training.distributed.sharded import orthogonalise_shards

    return orthogonalise_shards(x_NRC, products)


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum and decoupled weight decay, for weight matrices only.

    The update is scaled by max(1, rows / columns)^½, so that the same rate suits every shape.
    `products` is the precision of the iteration's products: bfloat16 in a run that computes in
    it anyway, two to three times as fast on a CPU that multiplies it natively.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        products: torch.dtype | None = None,
    ) -> None:
        self.products = products
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        assert closure is None, "Muon takes no closure"
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    by_shape.setdefault(weight.shape, []).append(weight)
            for (rows, columns), weights in by_shape.items():
                scale = max(1.0, rows / columns) ** 0.5
                updates_NRC = _orthogonalised(
                    self._nesterov(weights, group["momentum"]), self.products
                )
                torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(weights, updates_NRC.unbind(), alpha=-group["lr"] * scale)

    def _nesterov(self, weights: list[Tensor], momentum: float) -> Tensor:
        """The average of each weight's gradients, brought up to date, and leaning [N, R, C]
        towards the most recent."""
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        averages = []
        for weight in weights:
            state = self.state[weight]
            if not state:
                state["momentum"] = torch.zeros_like(weight)
            averages.append(state["momentum"])
        torch._foreach_lerp_(averages, gradients, 1 - momentum)
        return torch.stack(gradients).lerp(torch.stack(averages), momentum)
