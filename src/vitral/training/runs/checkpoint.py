"""Checkpoints: everything needed to resume a stopped run.

Each is a folder, `checkpoint/step-00000120`, written so that no stop can leave half of it
(`durable.py`): `tensors.safetensors` has the weights and what the optimisers remember,
`state.json` the step, the minutes and the tokens so far, the losses since the last evaluation, the
state of early stopping, float16's scale, the recipe, and the fingerprint of the text. Nothing is
pickled. The last two are kept: if the most recent is damaged, the run resumes from the one before.

There are no random states and no place in the corpus to save: everything random in a step is
drawn anew from (seed, step), and the learning rate is a function of the progress.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.messages import message
from vitral.training.runs.durable import damage, write_folder

GENERATIONS = 2
"""How many checkpoints of a run are kept."""


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint: its folder and its state."""

    folder: Path
    state: dict[str, Any]

    def restore(
        self,
        model: nn.Module,
        optimizers: list[torch.optim.Optimizer],
        read: Callable[[Path], dict[str, Tensor]] | None = None,
    ) -> dict[str, Tensor]:
        """Restore the weights of `model` and the state of `optimizers`, whose settings stay.
        Returns the other tensors by name. `read` reads the tensors of a folder, by default whole.

        Raises `checkpoint_mismatch` if the checkpoint belongs to another model.
        """
        tensors = (read or read_tensors)(self.folder)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                saved = tensors.pop(f"model.{name}", None)
                if saved is None or saved.shape != weight.shape:
                    raise VitralError("checkpoint_mismatch", folder=self.folder, weight=name)
                weight.copy_(saved)
        for number, optimizer in enumerate(optimizers):
            entries: dict[int, dict[str, Tensor]] = {}
            for key in [key for key in tensors if key.startswith(f"optimizer.{number}.")]:
                _, _, index, name = key.split(".", 3)
                entries.setdefault(int(index), {})[name] = tensors.pop(key)
            settings = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": entries, "param_groups": settings})
        return tensors


def save_checkpoint(
    folder: Path,
    model: nn.Module,
    optimizers: list[torch.optim.Optimizer],
    state: dict[str, Any],
    besides: dict[str, Tensor] | None = None,
    write: Callable[[dict[str, Tensor], Path], None] | None = None,
) -> None:
    """Write the checkpoint of `state["step"]` into `folder`, and delete the ones that are no
    longer needed. `write` writes tensors into a folder, by default whole.

    Raises `checkpoint_unwritten` if it cannot be written: the earlier ones are not changed.
    """
    tensors = named_tensors(model, optimizers) | (besides or {})

    def fill(new: Path) -> None:
        (write or write_tensors)(tensors, new)
        (new / "state.json").write_text(json.dumps(state), encoding="utf-8")

    written = checkpoint_folder(folder, state["step"])
    try:
        write_folder(written, fill)
    except OSError as error:
        reason = error.strerror or str(error)
        raise VitralError(
            "checkpoint_unwritten", step=state["step"], folder=folder, reason=reason
        ) from error
    before = [path for path in _most_recent_first(folder) if path < written]
    kept = {written, *before[: GENERATIONS - 1]}
    for path in set(folder.glob("step-*")) - kept:  # also incomplete ones of runs that were killed
        shutil.rmtree(path, ignore_errors=True)


def checkpoint_folder(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step stands."""
    return folder / f"step-{step:08d}"


def named_tensors(model: nn.Module, optimizers: list[torch.optim.Optimizer]) -> dict[str, Tensor]:
    """The weights, and the optimisers' state, by their names in a checkpoint."""
    tensors = {f"model.{name}": weight.detach() for name, weight in model.named_parameters()}
    for number, optimizer in enumerate(optimizers):
        for index, entries in optimizer.state_dict()["state"].items():
            for key, value in entries.items():
                tensors[f"optimizer.{number}.{index}.{key}"] = torch.as_tensor(value)
    return tensors


def write_tensors(tensors: dict[str, Tensor], folder: Path) -> None:
    """All tensors into one file."""
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(whole, folder / "tensors.safetensors")


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """All tensors of a checkpoint, whole, however many processes wrote it."""
    path = folder / "tensors.safetensors"
    if path.exists():
        return load_file(path)
    from vitral.training.runs.whole_checkpoint import read_whole

    return read_whole(folder)


def most_recent_checkpoint(
    folder: Path, notice: Callable[[str], None] = lambda line: None
) -> Checkpoint | None:
    """The most recent complete checkpoint in `folder`, None if there never was one.

    `notice` is called with each damaged one that is skipped. Raises `checkpoints_damaged` if
    none is complete: an automatic restart would discard the run.
    """
    found = _most_recent_first(folder)
    for path in found:
        bad = damage(path)
        if bad is None:
            state = json.loads((path / "state.json").read_text(encoding="utf-8"))
            return Checkpoint(path, state)
        notice(message("train.checkpoint_damaged", folder=path, file=bad))
    if found:
        raise VitralError("checkpoints_damaged", folder=folder)
    return None


def _most_recent_first(folder: Path) -> list[Path]:
    """The checkpoints in a folder, the most recent first, without incomplete ones."""
    return sorted(
        (path for path in folder.glob("step-*") if path.suffix not in (".new", ".old")),
        reverse=True,
    )
