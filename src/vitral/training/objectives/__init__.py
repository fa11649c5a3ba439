"""What a model is asked to learn. One objective a file."""

from typing import Protocol

from torch import Tensor, nn

from vitral.training.objectives.batch import Batch


class Objective(Protocol):
    """Something to learn: questions for each step, a loss, and a way to look at the outcome.

    Questions depend on the run's seed and the step's number only, so that there is no position
    to save, and a resumed run asks what an uninterrupted one asks.
    """

    def batch(self, step: int) -> Batch:
        """The questions of one step."""
        ...

    def loss(self, model: nn.Module) -> nn.Module:
        """A module that takes a batch's `inputs` and `targets` as keywords and gives the sum of
        the losses at the targets, in nats: what the trainer compiles, wraps and differentiates.
        """
        ...

    def held_out(self, model: nn.Module) -> dict[str, float]:
        """Figures on text that is never trained on. `held_out_loss` (nats a target) is always
        one of them, and lower is better."""
        ...


def summed(model_loss: Tensor) -> float:
    """A loss as a number."""
    return float(model_loss.detach())
