"""What a PEFT adapter's folder says, before anything of it is opened."""

import json
import os
from pathlib import Path
from typing import Any

from vitral.errors import VitralError

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter, and no whole model beside it."""
    whole = ("model.safetensors", "model.safetensors.index.json")
    return (folder / CONFIG).is_file() and not any((folder / name).is_file() for name in whole)


def adapter_config(folder: Path) -> dict[str, Any]:
    """What an adapter's folder says. Raises VitralError `adapter_damaged`."""
    path = folder / CONFIG
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise VitralError("adapter_damaged", path=path, reason=str(error)) from error
    if not isinstance(said, dict) or not isinstance(said.get("peft_type"), str):
        raise VitralError("adapter_damaged", path=path, reason="peft_type")
    return said


def base_folder(
    folder: Path, said: dict[str, Any], base: str | os.PathLike[str] | None = None
) -> Path:
    """The folder of an adapter's base: the one given, or the one that the adapter names, as a
    path from here or from its own folder, a bundled model, or a hub id.

    Raises VitralError `adapter_base_unreachable`, `model_unknown`, `hub_unreachable`.
    """
    from vitral.models.load import locate

    if base is not None:
        return locate(base)[1]
    named = said.get("base_model_name_or_path")
    if not isinstance(named, str) or not named:
        raise VitralError("adapter_base_unreachable", adapter=folder.name, base="?")
    beside = folder / named
    if beside.is_dir():
        return beside
    try:
        return locate(named)[1]
    except VitralError as error:
        raise VitralError("adapter_base_unreachable", adapter=folder.name, base=named) from error
