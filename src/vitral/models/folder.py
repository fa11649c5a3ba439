"""Checking a model's folder before anything of it is opened.

A folder in the Hugging Face format holds `config.json`, weights in `model.safetensors` (or in
several files named by `model.safetensors.index.json`), and a tokenizer. Errors name the invalid
file. Pickled weights are never opened: unpickling a file runs any program that it contains.
"""

import json
from pathlib import Path
from typing import Any

from vitral.errors import VitralError

CONVERT = (
    'python -c "import torch; from safetensors.torch import save_file; '
    "w = torch.load('{source}', weights_only=True, map_location='cpu'); "
    "save_file({{k: v.clone().contiguous() for k, v in w.items()}}, '{target}', "
    "metadata={{'format': 'pt'}})\""
)


def read_config(folder: Path) -> dict[str, Any]:
    """The content of `config.json`.

    Raises VitralError `folder_without_config` or, if it is no JSON object, `config_damaged`.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise VitralError("folder_without_config", folder=str(folder))
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise VitralError("config_damaged", path=str(path), reason=str(error)) from error
    if not isinstance(config, dict):
        raise VitralError("config_damaged", path=str(path), reason=type(config).__name__)
    return config


def check_weights(folder: Path) -> list[Path]:
    """The safetensors files of a folder, each of them whole.

    Raises VitralError `weights_pickled` if there are only pickled ones (with the command that
    converts them), `weights_missing` if there are none, `weights_damaged` if one is cut short,
    altered or not listed rightly.
    """
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        try:
            names = sorted(
                set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise VitralError("weights_damaged", path=str(index), reason=repr(error)) from error
        if any(Path(name).name != name for name in names):
            raise VitralError("weights_damaged", path=str(index), reason=str(names))
        paths = [folder / name for name in names]
    else:
        paths = [folder / "model.safetensors"]
    if not any(path.is_file() for path in paths):
        refuse_pickles([path.name for path in folder.iterdir()], str(folder))
        raise VitralError("weights_missing", folder=str(folder))
    for path in paths:
        _check_file(path)
    return paths


def refuse_pickles(names: list[str], folder: str, before: str = "") -> None:
    """Raises VitralError `weights_pickled` if the only weights among the files are pickled.

    The error carries the command that converts them; `before` is put in front of it.
    """
    if any(name.endswith(".safetensors") for name in names):
        return
    pickled = sorted(name for name in names if name.endswith((".bin", ".pt", ".pth")))
    if pickled:
        source, target = f"{folder}/{pickled[0]}", f"{folder}/model.safetensors"
        command = before + CONVERT.format(source=source, target=target)
        raise VitralError("weights_pickled", path=source, command=command)


def _check_file(path: Path) -> None:
    """Open one safetensors file: its header must describe exactly the bytes that follow."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            file.keys()
    except (SafetensorError, OSError, ValueError) as error:
        raise VitralError("weights_damaged", path=str(path), reason=str(error)) from error


def check_finite(module: Any, path: Path) -> None:
    """Raises VitralError `weights_damaged` if a parameter holds what is no number."""
    for name, parameter in module.named_parameters():
        if parameter.is_floating_point() and not bool(parameter.isfinite().all()):
            raise VitralError("weights_damaged", path=str(path), reason=f"{name}: NaN")
