"""The nearest matrix whose singular values are all about one, by matrix products only.

It is approached by a Newton–Schulz iteration (Jordan et al. 2024,
https://kellerjordan.github.io/posts/muon/)::

    X ← a·X + b·(XXᵀ)X + c·(XXᵀ)²X        with (a, b, c) = (3.4445, -4.7750, 2.0315)

Shapes: N matrices, R rows, C columns.
"""

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
