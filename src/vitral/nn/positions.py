"""Positions: how a model knows which token came first. Attention by itself is blind to order.

*Learned positions* (GPT-2, BERT) add one trained vector for each place: clear, but a model can
never look past the last place it was trained on.

*Sinusoidal positions* (Vaswani et al. 2017, section 3.5) are such vectors by formula, waves from
fast to slow: moving k places turns every wave by a fixed angle, so "the token before" is one and
the same linear map everywhere. They are also a good start for learned ones.

*Rotary positions* (Su et al. 2021, https://arxiv.org/abs/2104.09864, eq. 34) turn the query and
the key instead. Component pairs (i, i + D/2) are the coordinates of a point in the plane; at
position t it is turned by the angle t·ω_i, with ω_i = base^(-2i/D): fast pairs tell neighbours
apart, slow ones paragraphs. Turning both vectors leaves a product that depends only on the
*distance* between query and key::

    ⟨R(t)·q, R(s)·k⟩ = ⟨R(t - s)·q, k⟩

Shapes: B batch, H heads, T tokens, D components of a head.
"""

import torch
from torch import Tensor, nn


class LearnedPositions(nn.Embedding):
    """One trained vector a position; positions [T] or [B, T] give vectors [..., width]."""


def positions_in_documents(documents_BT: Tensor) -> Tensor:
    """Each token's place [B, T] in its own document, from the number of the document that it
    belongs to; a document's tokens stand side by side.

    >>> positions_in_documents(torch.tensor([[7, 7, 7, 8, 8]]))
    tensor([[0, 1, 2, 0, 1]])
    """
    places_T = torch.arange(documents_BT.shape[1], device=documents_BT.device)
    begins_BT = torch.ones_like(documents_BT, dtype=torch.bool)
    begins_BT[:, 1:] = documents_BT[:, 1:] != documents_BT[:, :-1]
    first_BT = torch.where(begins_BT, places_T, 0).cummax(dim=1).values
    return places_T - first_BT


def sinusoidal_positions(num_positions: int, width: int, base: float = 10_000.0) -> Tensor:
    """Vectors [num_positions, width]: sin(t·ω_i) beside cos(t·ω_i), ω_i = base^(-2i/width)."""
    positions = torch.arange(num_positions).float()[:, None]
    frequencies = base ** (-torch.arange(0, width, 2).float() / width)
    angles = positions * frequencies
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)[:, :width]


class RotaryPositions(nn.Module):
    """Turns queries and keys by their positions.

    `base` is the frequency base ("theta" in configurations): 10,000 in the paper, larger in
    models with long contexts, because the slowest pair must not come full circle within one.
    """

    def __init__(self, head_size: int, base: float = 10_000.0) -> None:
        super().__init__()
        self.head_size = head_size
        self.base = base

    def angles(self, positions_T: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines [..., T, D] of each position's angles, in float32.

        Computed afresh at each call: a table kept in the module would be rounded when the
        module is moved to bfloat16.
        """
        exponents = torch.arange(0, self.head_size, 2, device=positions_T.device).float()
        frequencies = self.base ** (-exponents / self.head_size)
        angles = positions_T[..., None].float() * frequencies
        angles = torch.cat((angles, angles), dim=-1)
        return angles.cos(), angles.sin()

    def forward(self, x_BHTD: Tensor, cos_TD: Tensor, sin_TD: Tensor) -> Tensor:
        """Turn every component pair (i, i + D/2) of `x` by its angle."""
        first, second = x_BHTD.chunk(2, dim=-1)
        turned = torch.cat((-second, first), dim=-1)
        return (x_BHTD * cos_TD + turned * sin_TD).to(x_BHTD.dtype)
