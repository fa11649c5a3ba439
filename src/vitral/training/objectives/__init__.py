"""Training objectives, one per file."""

from typing import Protocol

from torch import Tensor, nn

from vitral.training.objectives.batch import Batch


class Objective(Protocol):
    """A training objective: a batch for each step, a loss, and an evaluation.

    Batches depend only on the run's seed and the step's number, so there is no position to save,
    and a resumed run reads the same batches as an uninterrupted one.
    """

    def batch(self, step: int) -> Batch:
        """The batch of one step."""
        ...

    def loss(self, model: nn.Module) -> nn.Module:
        """A module that takes a batch's `inputs` and `targets` as keywords and gives the sum of
        the losses at the targets, in nats: what the trainer compiles, wraps and differentiates.
        """
        ...

    def held_out(self, model: nn.Module) -> dict[str, float]:
        """Figures on text that is never trained on. `held_out_loss` (nats per target) is always
        one of them, and lower is better."""
        ...


def summed(model_loss: Tensor) -> float:
    """A loss as a number."""
    return float(model_loss.detach())
