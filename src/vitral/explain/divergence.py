"""How similar heads are, and a map that places similar heads together.

The distance of two heads is that of their rows, averaged over the queries t:

    d(i, j) = mean_t JS(p_i,t ‖ p_j,t)      JS(p ‖ q) = H((p + q)/2) − (H(p) + H(q))/2

the Jensen–Shannon divergence in bits: 0 the same rows, 1 rows that share no token (Lin 1991,
IEEE Trans. Inf. Theory 37:145; for heads: Clark et al. 2019, arXiv:1906.04341, section 6).

`head_map` draws heads in the plane by classical multidimensional scaling (Torgerson 1952,
Psychometrika 17:401): the points whose squared distances are nearest to d. The root of JS is the
distance of points in a Hilbert space (Fuglede & Topsøe 2004), so no distance is impossible, and
what the plane leaves out is only lost, which `kept` says.

Cost: N²·T²/2 arithmetic for N heads in all; memory for one block of rows of every head.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.nn.scaled_dot_product import CELLS_AT_ONCE
from vitral.tracing.parts import stacked
from vitral.tracing.trace import Trace


@dataclass(frozen=True, eq=False)
class HeadMap:
    """`points` [layers, heads, 2], NaN where a layer has no attention; `kept` is the share of the
    variance that the plane shows."""

    points: Tensor
    kept: float


def head_distances(trace: Trace, part: str | None = None) -> Tensor:
    """The mean divergence of every two heads, in bits: float32 [N, N], N = layers · heads.

    Layers are those with attention; heads in their order. Raises VitralError `part_unknown`,
    `heads_differ` if layers have different numbers of heads or tokens.
    """
    records = list(trace.layers(part).values())
    sizes = {(each.num_heads, each.num_queries, each.num_keys) for each in records}
    if len(sizes) > 1:
        raise VitralError("heads_differ", model=trace.model)
    [(num_heads, num_queries, num_keys)] = sizes
    N = num_heads * len(records)
    sums_NN = torch.zeros(N, N)
    step = max(1, CELLS_AT_ONCE // (N * num_keys))
    for first in range(0, num_queries, step):
        rows = (first, min(first + step, num_queries))
        p_NRS = torch.cat([record.pattern(None, rows).cpu() for record in records])
        entropy_N = _bits(p_NRS)
        for i in range(N - 1):
            mixed = _bits((p_NRS[i] + p_NRS[i + 1 :]) / 2)
            sums_NN[i, i + 1 :] += mixed - (entropy_N[i] + entropy_N[i + 1 :]) / 2
    return ((sums_NN + sums_NN.T) / num_queries).clamp(0, 1)


def head_map(trace: Trace, part: str | None = None) -> HeadMap:
    """Every head as a point in the plane; similar heads stand together.

    Raises VitralError as `head_distances`.
    """
    points, kept = classical_scaling(head_distances(trace, part))
    layers = list(trace.layers(part))
    rows = dict(zip(layers, points.view(len(layers), -1, 2), strict=True))
    return HeadMap(stacked(rows, trace.num_blocks(part)), kept)


def classical_scaling(squared_NN: Tensor) -> tuple[Tensor, float]:
    """Points [N, 2] whose squared distances are nearest to those given, and the share kept.

    B = −½·J·D²·J with J = I − 1/N; the points are its two largest eigenvectors, each times the
    root of its eigenvalue. Of each axis's two directions, that is taken in which the farthest
    point is positive, so that the same distances give the same map.
    """
    N = len(squared_NN)
    centring = torch.eye(N, dtype=torch.float64) - 1 / N
    inner = -centring @ squared_NN.double() @ centring / 2
    values, vectors = torch.linalg.eigh(inner)
    values, vectors = values.flip(0).clamp(min=0), vectors.flip(1)
    axes = vectors[:, :2] * values[:2].sqrt()
    if axes.shape[1] < 2:
        axes = torch.nn.functional.pad(axes, (0, 2 - axes.shape[1]))
    farthest = axes.abs().argmax(0)
    signs = torch.where(axes[farthest, torch.arange(2)] < 0, -1.0, 1.0)
    total = float(values.sum())
    return (axes * signs).float(), float(values[:2].sum()) / total if total else 1.0


def _bits(p_NRS: Tensor) -> Tensor:
    """Entropies in bits, summed over the rows: [N]."""
    return -torch.xlogy(p_NRS, p_NRS).sum((-2, -1)) / math.log(2)
