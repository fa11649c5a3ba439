"""A norm held still: the linear map that it is for one vector.

A norm divides by the vector's own size, so what two parts of a sum become is not what they would
become alone. With that size held at its value, the norm is linear, and a sum goes through it part
by part, exactly (Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits"):

    N(x) = γ ⊙ (x − mean(x)·c) · s + β        c = 1 if the norm centres (LayerNorm), else 0 (RMS)

γ, s, c and β are found by calling the norm, of any family: β is what N(x) and N(−x) have in
common, γ is N of a long vector of ±1, s what remains.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vitral.tracing.recording.inputs import vectors_like

_LONG = 1e4
"""So long that the norm's ε is negligible."""


@dataclass(frozen=True, eq=False)
class FrozenNorm:
    """A norm at one vector x [C]; all float64."""

    gain: Tensor  # γ · s [C]
    shift: Tensor  # β [C]
    centres: bool

    @classmethod
    def at(cls, norm: nn.Module, x: Tensor) -> "FrozenNorm | None":
        """The norm held at x [C]; None if it has another form."""
        probe = torch.ones(len(x), dtype=torch.float64)
        probe[1::2] = -1
        if len(x) % 2 and len(x) > 2:
            probe[-3:] = torch.tensor([1.0, -0.5, -0.5])
        root = probe.square().mean().sqrt()
        ask = [x, -x, probe * _LONG, -probe * _LONG, probe * _LONG + _LONG]
        try:
            here, there, plus, minus, moved = _asked(norm, torch.stack([e.double() for e in ask]))
        except RuntimeError:  # a norm of another width
            return None
        if here.shape != x.shape:
            return None
        shift = (here + there) / 2
        gamma = (plus - minus) / 2 / (probe / root)
        centres = torch.allclose(plus, moved, atol=1e-2 * float(gamma.abs().max()), rtol=0)
        seen = gamma * (x.double() - (x.double().mean() if centres else 0.0))
        scale = (seen @ (here - shift)) / (seen @ seen).clamp(min=1e-300)
        if not torch.allclose(scale * seen, here - shift, atol=2e-3 * float(here.abs().max())):
            return None
        return cls(gamma * scale, shift, centres)

    def pulled(self, direction: Tensor) -> Tensor:
        """The direction u before the norm with u·x = direction·(N(x) − β): [C]."""
        before = direction * self.gain
        return before - before.mean() if self.centres else before


def _asked(norm: nn.Module, vectors: Tensor) -> Tensor:
    like = vectors_like(norm)
    with torch.no_grad():
        given: Tensor = norm(vectors.to(like.device, like.dtype))
    return given.double().cpu()
