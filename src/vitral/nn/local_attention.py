"""Local attention (Luong, Pham & Manning 2015, section 3.2): look at a window, not at everything.

Each query has a position p in the source, and looks only at the keys at most D positions from it.

*Monotonic* ("local-m"): p_t = t, as if both texts ran side by side. A text that is longer than its
source keeps looking at the source's end (the paper does not say; it would look at nothing).

*Predictive* ("local-p"): the query says where to look, as a share of the source's length S::

    p_t = S · sigmoid(v · tanh(W q_t))

and keys far from there count less, by a bell curve of deviation D/2 around p_t. That is how v
and W are learned, since the window's edges have no gradient. The weights are

    softmax(scores in the window)_s · exp(−(s − p_t)² / 2(D/2)²)

and add up to less than one: the curve comes after the softmax, as in equation 10.

Places are counted from the first real token of a row, so padding on the left moves nothing.

Shapes: B batch, T queries, S keys, C width.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Window:
    """Which keys a query sees, [B, T, S], and how much each key counts; None: all alike."""

    allowed: Tensor
    closeness: Tensor | None


class LocalWindow(nn.Module):
    """Windows of `half_width` D places to each side of every query's place."""

    def __init__(
        self, width: int, half_width: int, form: Literal["monotonic", "predictive"]
    ) -> None:
        super().__init__()
        assert half_width >= 1, "a predicted place may lie between two keys"
        self.half_width = half_width
        self.predictive = form == "predictive"
        if self.predictive:
            self.place_proj = nn.Linear(width, width, bias=False)
            self.place_score = nn.Linear(width, 1, bias=False)

    def forward(self, query_BTC: Tensor, steps_BT: Tensor, real_BS: Tensor) -> Window:
        """The windows of queries, which stand at the places `steps_BT` of their own text;
        `real_BS` is true at the source's tokens and false at padding."""
        length_B = real_BS.sum(dim=1)
        places_BS = real_BS.cumsum(dim=1) - 1
        if self.predictive:
            inner = torch.tanh(self.place_proj(query_BTC))
            centre_BT = length_B[:, None] * torch.sigmoid(self.place_score(inner).squeeze(-1))
        else:
            centre_BT = torch.minimum(steps_BT, length_B[:, None] - 1)
        distance_BTS = places_BS[:, None] - centre_BT[..., None]
        allowed_BTS = (distance_BTS.abs() <= self.half_width) & real_BS[:, None]
        if not self.predictive:
            return Window(allowed_BTS, None)
        deviation = self.half_width / 2
        return Window(allowed_BTS, torch.exp(-(distance_BTS**2) / (2 * deviation**2)))
