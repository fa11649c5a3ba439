"""Muon: momentum whose steps are orthogonal matrices.

The momentum of a weight matrix is usually dominated by a few directions. Muon (Jordan et al.
2024, https://kellerjordan.github.io/posts/muon/) replaces it by the nearest matrix whose
singular values are all about one (`orthogonal`), so that rare directions learn as fast as
frequent ones.

Matrices of one shape go through it together, as one batch: a small model has many small ones.
`torch.optim.Muon` takes them one by one and always in bfloat16, which on a CPU without
bfloat16 units is tens of times slower than float32 (docs/log.md has the figures).

Shapes: N matrices, R rows, C columns.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from vitral.training.optimization.orthogonal import orthogonalise


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
