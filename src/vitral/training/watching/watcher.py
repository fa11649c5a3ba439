"""Watchers of a run: the terminal, a file, TensorBoard, a browser.

The trainer calls its watchers with each event, and does not know which they are.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Stepped:
    """One step of the optimiser. `loss` is that before it, in nats per target; `rate` the share
    of the full learning rate; `gradient_norm` that before clipping; `seconds` the step's own.
    `gradient_norms` are those of the model's parts (`layers.3`), measured every few steps."""

    step: int
    progress: float
    loss: float
    rate: float
    gradient_norm: float
    tokens: int
    seconds: float
    minutes: float
    gradient_norms: dict[str, float] = field(default_factory=dict)

    def line(self) -> dict[str, object]:
        """As a line of `steps.jsonl`; a norm that overflowed (float16) is null there."""

        def finite(norm: float) -> float | None:
            return norm if math.isfinite(norm) else None

        entries: dict[str, object] = {
            "step": self.step,
            "loss": self.loss,
            "rate": self.rate,
            "gradient_norm": finite(self.gradient_norm),
            "tokens": self.tokens,
            "seconds": round(self.seconds, 5),
        }
        norms = {name: finite(norm) for name, norm in self.gradient_norms.items()}
        return entries | ({"gradient_norms": norms} if norms else {})


@dataclass(frozen=True)
class Evaluated:
    """An evaluation on held-out text: `figures` always have `held_out_loss`; `loss` is the mean of
    the training losses since the evaluation before. `sample` is what the model wrote, if asked."""

    step: int
    progress: float
    tokens: int
    minutes: float
    loss: float
    objective: str
    figures: dict[str, float] = field(default_factory=dict)
    sample: str | None = None

    def line(self) -> dict[str, object]:
        """As a line of `curve.jsonl`."""
        entries: dict[str, object] = {
            "step": self.step,
            "tokens": self.tokens,
            "minutes": round(self.minutes, 3),
            "objective": self.objective,
            "loss": round(self.loss, 5),
        }
        entries |= {name: round(value, 5) for name, value in self.figures.items()}
        return entries if self.sample is None else entries | {"sample": self.sample}


class Watcher:
    """Does nothing at every event; subclasses override what they need."""

    def started(self, name: str, num_parameters: int, step: int) -> None:
        """The run starts, or resumes, at `step`."""

    def stepped(self, event: Stepped) -> None:
        """A step is done."""

    def evaluated(self, event: Evaluated) -> None:
        """The model was evaluated on held-out text."""

    def saving(self, step: int) -> None:
        """A checkpoint is about to be written: what belongs to it must be on disk before."""

    def saved(self, folder: Path, step: int) -> None:
        """A checkpoint is safe on disk."""

    def noticed(self, line: str) -> None:
        """Something the user should know, in their language."""

    def stopped(self, step: int) -> None:
        """The run was asked to stop; it is saved at `step`."""

    def failed(self) -> None:
        """The run ended with an error."""

    def ended(self, folder: Path) -> None:
        """The run is over; the model is in `folder`."""
