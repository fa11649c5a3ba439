"""The batch of one step: what the model reads, and its targets.

Shapes: B rows, T places.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

IGNORED = -100
"""A target that does not count (the value that PyTorch's cross-entropy leaves out)."""


@dataclass(frozen=True)
class Batch:
    """`inputs` are what the objective reads besides, by name, each with B rows; `targets` [B, T]
    are the right answers, IGNORED where nothing is asked."""

    inputs: dict[str, Tensor]
    targets: Tensor

    @property
    def num_rows(self) -> int:
        return self.targets.shape[0]

    @property
    def num_asked(self) -> int:
        """How many targets count; the loss is their mean."""
        return int((self.targets != IGNORED).sum())

    @property
    def num_tokens(self) -> int:
        """The number of tokens in it."""
        return sum(t.numel() for name, t in self.inputs.items() if name.endswith("ids"))

    def rows(self, first: int, end: int) -> "Batch":
        """Rows `first` to `end` (not included)."""
        inputs = {name: tensor[first:end] for name, tensor in self.inputs.items()}
        return replace(self, inputs=inputs, targets=self.targets[first:end])

    def parts(self, number: int) -> Iterator["Batch"]:
        """The rows in at most `number` parts of nearly one size, none of them empty."""
        bounds = torch.linspace(0, self.num_rows, min(number, self.num_rows) + 1).round().long()
        for first, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            yield self.rows(first, end)

    def to(self, device: torch.device) -> "Batch":
        inputs = {name: tensor.to(device) for name, tensor in self.inputs.items()}
        return Batch(inputs, self.targets.to(device))
