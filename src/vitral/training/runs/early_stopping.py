"""Early stopping: end when the validation loss stops improving, and keep the best model.

After `patience` evaluations without a lower loss the run ends, and its model is the one of the
best evaluation (Prechelt 1998, "Early Stopping – But When?"). Only the last phase counts: the
ones before have another objective, or a model with fewer layers.
"""

from typing import Any

import torch
from torch import Tensor, nn


class EarlyStopping:
    """The best evaluation so far. Its weights are part of each checkpoint, so the best model is
    as safe as the run."""

    def __init__(self, patience: int | None) -> None:
        self.patience = patience
        self.loss = float("inf")
        self.step = 0
        self.looks_since = 0
        self.weights: dict[str, Tensor] = {}

    def evaluated(self, loss: float, step: int, model: nn.Module) -> None:
        """The model was evaluated, in the last phase."""
        if self.patience is None:
            return
        self.looks_since += 1
        if loss < self.loss:
            self.loss, self.step, self.looks_since = loss, step, 0
            weights = model.named_parameters()
            self.weights = {name: weight.detach().cpu().clone() for name, weight in weights}

    @property
    def over(self) -> bool:
        """Whether patience has run out."""
        return self.patience is not None and self.looks_since >= self.patience

    @torch.no_grad()
    def put_best(self, model: nn.Module) -> None:
        """Load the best weights into `model`, if there are any."""
        for name, weight in model.named_parameters():
            if name in self.weights:
                weight.copy_(self.weights[name])

    @property
    def state(self) -> dict[str, Any]:
        """The state for a checkpoint, without the weights."""
        if not self.weights:
            return {}
        return {"loss": self.loss, "step": self.step, "looks_since": self.looks_since}

    def restore(self, state: dict[str, Any], weights: dict[str, Tensor]) -> None:
        """Resume from a checkpoint."""
        if self.patience is not None and state:
            self.loss, self.step = state["loss"], state["step"]
            self.looks_since, self.weights = state["looks_since"], weights
