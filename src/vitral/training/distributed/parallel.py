"""Several processes, one run.

`torchrun` starts the same program several times, on one machine or on many, and gives each
process its number in the environment (RANK, WORLD_SIZE). Each of them draws the same batch,
reads its own rows of it, and adds its gradients to those of the others::

    loss = Σ_rows loss(row) / answers of the whole batch        gradient = Σ_processes gradient

The order of a sum does not matter but for rounding. So N processes take the same steps as one
process with the same recipe, and give the same losses up to rounding; only dropout is random
in each separately.

    with current() as group:       # one process, if torchrun did not start this one
        with group.leader_first():
            prepared = prepare(recipe, sources, out)
        Trainer(recipe, prepared, out, parallel=group).run()

This file has a run in one process, and *data parallel*: each process keeps the whole model
(PyTorch's DistributedDataParallel; Li et al. 2020, https://arxiv.org/abs/2006.15704). In
`sharded.py` each keeps a part of it. docs/distributed.md has the commands.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.training.objectives.batch import Batch
from vitral.training.recipes.recipe import Recipe
from vitral.training.runs.checkpoint import Checkpoint, save_checkpoint

Kind = Literal["data", "sharded"]

PATIENCE = timedelta(minutes=10)
"""How long a process waits for the others in a step before it fails."""

LONG_PATIENCE = timedelta(days=2)
"""How long it waits while only the leader works: preparing a large corpus takes long."""


class Parallel:
    """A run in one process: the simplest form of all that several do together."""

    rank = 0
    size = 1

    @property
    def leads(self) -> bool:
        """Whether this process is the one that prints and writes."""
        return self.rank == 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None

    @contextmanager
    def leader_first(self) -> Iterator[None]:
        """The leader runs the block first, then the others, who find its results."""
        yield

    def check(self, recipe: Recipe) -> None:
        """Raises an error for settings of the recipe that this kind of run does not support."""

    def device(self, name: str) -> torch.device:
        """This process's own device of that kind."""
        return torch.device(name)

    def place(self, model: nn.Module, device: torch.device) -> nn.Module:
        """The model, or this process's part of it, on its device."""
        return model.to(device)

    def wrap(self, loss: nn.Module) -> nn.Module:
        """What computes the loss and, in its backward pass, the gradient of all processes."""
        return loss

    def parts(self, batch: Batch, number: int) -> Iterator[Batch]:
        """This process's rows of the batch, in parts."""
        return batch.parts(number)

    def total(self, value: float) -> float:
        """The sum of all processes' values."""
        return value

    def agreed(self, value: float) -> float:
        """The leader's value: what decides how the run continues must be equal everywhere."""
        return value

    def clip(self, model: nn.Module, most: float | None) -> Tensor:
        """The norm of all gradients, which are brought down to `most` if it is more. Where it is
        not finite they stay as they are, so that the error can be located."""
        weights = list(model.parameters())
        norm = nn.utils.get_total_norm([w.grad for w in weights if w.grad is not None])
        whole = norm.full_tensor() if hasattr(norm, "full_tensor") else norm
        if most is not None and bool(torch.isfinite(whole)):
            nn.utils.clip_grads_with_norm_(weights, most, norm)
        return norm

    @contextmanager
    def looking(self, model: nn.Module) -> Iterator[None]:
        """Inside, the model is only evaluated; all processes evaluate together."""
        model.eval()
        yield
        model.train()

    def save(
        self,
        folder: Path,
        model: nn.Module,
        optimizers: list[torch.optim.Optimizer],
        state: dict[str, Any],
        besides: dict[str, Tensor],
    ) -> None:
        """Write a checkpoint; see `save_checkpoint`."""
        save_checkpoint(folder, model, optimizers, state, besides)

    def restore(
        self, saved: Checkpoint, model: nn.Module, optimizers: list[torch.optim.Optimizer]
    ) -> dict[str, Tensor]:
        """Take up a checkpoint; see `Checkpoint.restore`."""
        return saved.restore(model, optimizers)

    def whole(self, model: nn.Module) -> nn.Module | None:
        """The whole model for the leader to write; None for the others."""
        return model


class DataParallel(Parallel):
    """Each process has the whole model and reads its own rows.

    Raises VitralError `process_lost` from its `with` block where another process has died or
    has not been heard of for `patience`.
    """

    def __init__(self, device: str = "cpu", patience: timedelta = PATIENCE) -> None:
        import torch.distributed as dist

        self._on_gpu = torch.device(device).type == "cuda"
        if self._on_gpu:
            torch.cuda.set_device(self.device(device))
        # Numbers that stand in ordinary memory go through gloo even where the model is on GPUs.
        dist.init_process_group("cpu:gloo,cuda:nccl" if self._on_gpu else "gloo", timeout=patience)
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self._waiting = dist.new_group(backend="gloo", timeout=LONG_PATIENCE)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        import torch.distributed as dist

        if error is None or not self._on_gpu:  # which would wait for its last message
            dist.destroy_process_group()
        if error is not None and _is_of_the_network(error):
            reason = " ".join(str(error).split()).split(". ")[0]
            raise VitralError("process_lost", rank=self.rank, reason=reason) from error

    @contextmanager
    def leader_first(self) -> Iterator[None]:
        if not self.leads:
            self._wait()
        yield
        if self.leads:
            self._wait()

    def check(self, recipe: Recipe) -> None:
        """Raises `processes_without_rows` where a step has fewer rows than there are processes."""
        if recipe.data.pairs is None:
            self._check_rows(recipe.batch.tokens // max(recipe.batch.lengths))

    def device(self, name: str) -> torch.device:
        if name != "cuda":
            return torch.device(name)
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))

    def wrap(self, loss: nn.Module) -> nn.Module:
        self._loss = nn.parallel.DistributedDataParallel(loss)
        return self._loss

    def parts(self, batch: Batch, number: int) -> Iterator[Batch]:
        *before, last = self._own_parts(batch, number)
        with self._loss.no_sync():  # the gradients are exchanged once, with the last part
            yield from before
        yield last

    def _own_parts(self, batch: Batch, number: int) -> Iterator[Batch]:
        """As many parts in every process: they meet in each."""
        self._check_rows(batch.num_rows)
        first, end = (batch.num_rows * n // self.size for n in (self.rank, self.rank + 1))
        return batch.rows(first, end).parts(min(number, batch.num_rows // self.size))

    def _check_rows(self, rows: int) -> None:
        if rows < self.size:
            raise VitralError("processes_without_rows", rows=rows, processes=self.size)

    def total(self, value: float) -> float:
        import torch.distributed as dist

        shared = torch.tensor(value, dtype=torch.float64)
        dist.all_reduce(shared)
        return float(shared)

    def agreed(self, value: float) -> float:
        import torch.distributed as dist

        shared = torch.tensor(value, dtype=torch.float64)
        dist.broadcast(shared, 0)
        return float(shared)

    def save(
        self,
        folder: Path,
        model: nn.Module,
        optimizers: list[torch.optim.Optimizer],
        state: dict[str, Any],
        besides: dict[str, Tensor],
    ) -> None:
        if self.leads:
            save_checkpoint(folder, model, optimizers, state, besides)
        self._wait()

    def whole(self, model: nn.Module) -> nn.Module | None:
        return model if self.leads else None

    def _wait(self) -> None:
        """Wait for all other processes."""
        import torch.distributed as dist

        dist.barrier(self._waiting)


def _is_of_the_network(error: BaseException) -> bool:
    """Whether this is how PyTorch says that another process cannot be reached; gloo has no
    class of its own for it."""
    import torch.distributed as dist

    told = str(error).lower()
    return isinstance(error, dist.DistError) or (
        isinstance(error, RuntimeError) and ("gloo" in told or "connection" in told)
    )
