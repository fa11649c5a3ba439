"""Putting a value in the place of one that a model computed.

Shapes: values of the stream are [B, T, C], those of attention's heads [B, H, T, D], of which T
tokens are the pass's, N all of the text's.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.tracing.editing.pattern_order import Frame, shape_error


@dataclass(eq=False)
class ValuePatch:
    """A value for an address, for all tokens or (`tokens`) some, of all heads or one.

    `value` is a number, or a tensor without the batch: [N or n, C], with heads [H, N or n, D].
    """

    description: str
    address: str
    value: Tensor | float
    tokens: tuple[int, ...] | None
    head: int | None
    reached: bool = False
    ever: bool = False

    @property
    def positional(self) -> bool:
        return self.tokens is not None or isinstance(self.value, Tensor)

    def done(self) -> None:
        self.reached = self.ever = True

    def put_into(self, current: Tensor, first: int, *, growing: bool) -> Tensor:
        """`current` [B, …, T, C] with the value in it; `first` is the first token's place.

        Raises VitralError `edit_shape`, `edit_token_out_of_range`, `head_out_of_range`.
        """
        if self.head is None:
            return self._put(current, first, growing)
        num_heads = current.shape[1]
        if not 0 <= self.head < num_heads:
            raise VitralError("head_out_of_range", head=self.head, num_heads=num_heads)
        one = self._put(current[:, self.head], first, growing)
        return torch.cat([current[:, : self.head], one[:, None], current[:, self.head + 1 :]], 1)

    def _put(self, current: Tensor, first: int, growing: bool) -> Tensor:
        if current.dim() < 3:  # a result without tokens, as an image's classes
            if self.tokens is not None:
                raise VitralError("edit_no_tokens", address=self.address)
            self._check(current.shape[1:], None)
            self.done()
            return self._like(current, self.value).expand_as(current).clone()
        frame = Frame(first, current.shape[-2], first, current.shape[-2], growing)
        places = range(first + frame.num_rows) if self.tokens is None else self.tokens
        self._check((*current.shape[1:-2], len(places), current.shape[-1]), growing)
        rows = [(index, frame.row(place)) for index, place in enumerate(places)]
        here = [(index, row) for index, row in rows if row is not None]
        if not here:
            return current
        self.done()
        given, own = (torch.tensor(each) for each in zip(*here, strict=True))
        value = self._like(current, self.value)
        new = current.clone()
        new[..., own, :] = value[..., given, :] if value.dim() else value
        return new

    def _check(self, wanted: tuple[int, ...], growing: bool | None) -> None:
        """The value's shape; where tokens are still to come, it may hold theirs too."""
        if not isinstance(self.value, Tensor):
            return
        given = tuple(self.value.shape)
        longer = growing and self.tokens is None and len(given) == len(wanted)
        if longer and given[-2] > wanted[-2]:
            given = (*given[:-2], wanted[-2], given[-1])
        if given != tuple(wanted):
            raise shape_error(self.description, tuple(self.value.shape), wanted)

    @staticmethod
    def _like(current: Tensor, value: Any) -> Tensor:
        return torch.as_tensor(value).to(current.device, current.dtype)
