"""Checkpoints of a model that is spread over processes.

Each process writes its own part, and reads the part that it needs: another number of processes
cuts the same weights up in another way. PyTorch's distributed checkpoints (`torch.distributed.
checkpoint`) do that; their safetensors form is used, so that nothing is pickled here either. The
folder is a checkpoint like any other (`checkpoint.py`), with a file for each process in the place
of `tensors.safetensors`, under the same names. So one process can resume a run of many, and the
reverse.
"""

from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.hf_storage import (
    HuggingFaceStorageReader,
    HuggingFaceStorageWriter,
)
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from vitral.errors import VitralError
from vitral.training.runs.checkpoint import (
    Checkpoint,
    checkpoint_folder,
    named_tensors,
    save_checkpoint,
)
from vitral.training.runs.whole_checkpoint import contents


def save_sharded(
    folder: Path,
    model: nn.Module,
    optimizers: list[torch.optim.Optimizer],
    state: dict[str, Any],
    besides: dict[str, Tensor],
    *,
    leads: bool,
) -> None:
    """Write the checkpoint of `state["step"]` into `folder`, all processes together; the leader
    makes the folder and, when everybody has written, gives it its name.

    Raises `checkpoint_unwritten` if it cannot be written.
    """
    if leads:
        save_checkpoint(folder, model, optimizers, state, besides, write=_write)
    else:
        new = checkpoint_folder(folder, state["step"]).with_suffix(".new")
        try:
            _write(named_tensors(model, optimizers) | besides, new)
        except OSError as error:
            raise VitralError(
                "checkpoint_unwritten", step=state["step"], folder=folder, reason=error
            ) from error


def restore_sharded(
    saved: Checkpoint, model: nn.Module, optimizers: list[torch.optim.Optimizer]
) -> dict[str, Tensor]:
    """Resume from a checkpoint of any number of processes; see `Checkpoint.restore`."""
    return saved.restore(model, optimizers, partial(_read, model=model, optimizers=optimizers))


def _write(tensors: dict[str, Tensor], folder: Path) -> None:
    dist.barrier()  # the leader has made the folder
    writer = HuggingFaceStorageWriter(str(folder), save_distributed=True)
    try:
        save(tensors, storage_writer=writer)
    except CheckpointException as error:
        first = next(iter(error.failures.values()))[0]
        raise first if isinstance(first, OSError) else error from error


def _read(
    folder: Path, model: nn.Module, optimizers: list[torch.optim.Optimizer]
) -> dict[str, Tensor]:
    """This process's parts of a checkpoint's tensors."""
    parameters = dict(model.named_parameters())
    ordered = [
        [weight for group in optimizer.param_groups for weight in group["params"]]
        for optimizer in optimizers
    ]
    tensors: dict[str, Tensor] = {}
    for name, found in contents(folder).items():
        kind, _, place = name.partition(".")
        if kind == "optimizer":
            number, index, _ = place.split(".", 2)
            weight: Tensor | None = ordered[int(number)][int(index)]
        else:
            weight = parameters.get(place)
        dtype = found.properties.dtype
        if weight is not None and weight.shape == found.size:
            tensors[name] = torch.empty_like(weight, dtype=dtype, requires_grad=False)
        else:  # a number of steps, or another model's weight
            tensors[name] = torch.empty(found.size, dtype=dtype)
    load(tensors, storage_reader=HuggingFaceStorageReader(str(folder)))
    return tensors
