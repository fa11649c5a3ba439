"""The curve of a run for TensorBoard: `tensorboard --logdir runs/NAME/tensorboard`."""

from pathlib import Path
from typing import Any

from vitral.errors import VitralError
from vitral.training.watching.watcher import Evaluated, Stepped, Watcher


class TensorBoard(Watcher):
    """Writes the curve into `out`/tensorboard. Raises `tensorboard_missing` where the package is
    not installed."""

    def __init__(self, out: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise VitralError("tensorboard_missing") from None
        self._folder, self._kind = out / "tensorboard", SummaryWriter
        self._writer: Any = None

    def started(self, name: str, num_parameters: int, step: int) -> None:
        # What a run that died had written after its checkpoint is not shown.
        self._writer = self._kind(str(self._folder), purge_step=step + 1)

    def stepped(self, event: Stepped) -> None:
        self._add("training/loss", event.loss, event.step)
        self._add("training/rate", event.rate, event.step)
        self._add("gradients/all", event.gradient_norm, event.step)
        for part, norm in event.gradient_norms.items():
            self._add(f"gradients/{part}", norm, event.step)

    def evaluated(self, event: Evaluated) -> None:
        for name, value in event.figures.items():
            self._add(f"held out/{name}", value, event.step)
        if event.sample is not None and self._writer is not None:
            self._writer.add_text("sample", event.sample, event.step)

    def saving(self, step: int) -> None:
        if self._writer is not None:
            self._writer.flush()

    def stopped(self, step: int) -> None:
        self._close()

    def failed(self) -> None:
        self._close()

    def ended(self, folder: Path) -> None:
        self._close()

    def _add(self, name: str, value: float, step: int) -> None:
        if self._writer is not None:
            self._writer.add_scalar(name, value, step)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
