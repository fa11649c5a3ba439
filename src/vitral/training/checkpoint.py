"""Checkpoints: everything a stopped run needs to go on, written so that no stop can spoil it.

A checkpoint is a folder: `tensors.safetensors` (weights and optimiser states) and `state.json`
(step, minutes, the optimisers' settings, the curve so far). It is written beside its place and
moved there in one step; the one before is kept until then. Nothing is pickled.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from vitral.errors import VitralError


def save_checkpoint(
    folder: Path,
    model: nn.Module,
    optimizers: list[torch.optim.Optimizer],
    state: dict[str, Any],
) -> None:
    """Write the checkpoint `folder`, replacing an older one in one step."""
    tensors: dict[str, Tensor] = {}
    for name, weight in model.named_parameters():
        tensors[f"model.{name}"] = weight.detach()
    settings = []
    for i, optimizer in enumerate(optimizers):
        saved = optimizer.state_dict()
        settings.append(saved["param_groups"])
        for index, entries in saved["state"].items():
            for key, value in entries.items():
                tensors[f"optimizer.{i}.{index}.{key}"] = torch.as_tensor(value)
    new, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    save_file(tensors, new / "tensors.safetensors")
    (new / "state.json").write_text(json.dumps(state | {"param_groups": settings}))
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(new, folder)
    shutil.rmtree(old, ignore_errors=True)


def checkpoint_state(folder: Path) -> dict[str, Any] | None:
    """The state of a checkpoint alone, without its tensors; None if there is no checkpoint."""
    found = _newest(folder)
    return None if found is None else json.loads((found / "state.json").read_text())


def load_checkpoint(
    folder: Path, model: nn.Module, optimizers: list[torch.optim.Optimizer]
) -> dict[str, Any] | None:
    """Put the checkpoint's tensors into `model` and `optimizers`; return its state.

    None if there is no checkpoint. Raises `checkpoint_mismatch` if it belongs to another model.
    """
    found = _newest(folder)
    if found is None:
        return None
    tensors = load_file(found / "tensors.safetensors")
    state: dict[str, Any] = json.loads((found / "state.json").read_text())
    parameters = dict(model.named_parameters())
    for name, weight in parameters.items():
        saved = tensors.get(f"model.{name}")
        if saved is None or saved.shape != weight.shape:
            raise VitralError("checkpoint_mismatch", folder=folder, weight=name)
        with torch.no_grad():
            weight.copy_(saved)
    for i, (optimizer, groups) in enumerate(
        zip(optimizers, state.pop("param_groups"), strict=True)
    ):
        entries: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            kind, *place = key.split(".", 3)
            if kind == "optimizer" and place[0] == str(i):
                entries.setdefault(int(place[1]), {})[place[2]] = value
        optimizer.load_state_dict({"state": entries, "param_groups": groups})
    return state


def _newest(folder: Path) -> Path | None:
    """The checkpoint itself, or, where a run stopped between the two moves, the one before."""
    candidates = (folder, folder.with_name(folder.name + ".old"))
    return next((each for each in candidates if each.exists()), None)
