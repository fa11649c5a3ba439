"""Reading the files of a watched sentence in a run's folder.

watched_steps(Path("runs/gatos"))             [0, 1, 2, 3, 4, 6, 8, 12, …]
read_patterns(Path("runs/gatos"), step=12)    float32 [layers, heads, tokens, tokens]
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitral.errors import VitralError

if TYPE_CHECKING:
    from torch import Tensor

FOLDER, TEXT = "watched", "text.json"


def step_path(folder: Path, step: int) -> Path:
    """The file of one step."""
    return folder / f"step-{step:08d}.safetensors"


def steps_in(folder: Path, after: int = -1) -> list[Path]:
    """The files of the recorded steps after `after`, in order."""
    return sorted(path for path in folder.glob("step-*.safetensors") if step_of(path) > after)


def step_of(path: Path) -> int:
    """The step of a file's name."""
    digits = path.stem.removeprefix("step-")
    return int(digits) if digits.isdecimal() else -1


def read_watched(run: Path) -> dict[str, Any] | None:
    """A run's watched sentence: `text`, `causal`, `tokens`; None if there is none."""
    try:
        found: dict[str, Any] = json.loads((run / FOLDER / TEXT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def watched_steps(run: Path) -> list[int]:
    """The steps at which the sentence was recorded."""
    return [step_of(path) for path in steps_in(run / FOLDER)]


def read_patterns(run: Path, step: int) -> "Tensor":
    """Every head's weights after that step: float32 [layers, heads, tokens, tokens].

    Raises `watched_step_gone` if they were dropped, or never recorded.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(step_path(run / FOLDER, step))["patterns"]
    except (OSError, KeyError, SafetensorError):
        raise VitralError("watched_step_gone", step=step) from None
