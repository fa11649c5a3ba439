"""Reading the files of a watched sentence in a run's folder.

watched_steps(Path("runs/gatos"))             [0, 1, 2, 3, 4, 6, 8, 12, …]
read_patterns(Path("runs/gatos"), step=12)    float32 [layers, heads, tokens, tokens]
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitral.checked_files import open_checked, read_json
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
    """The step of a file's name; -1 where it names none."""
    digits = path.stem.removeprefix("step-")
    return int(digits) if digits.isdecimal() and len(digits) <= 15 else -1


def read_watched(run: Path) -> dict[str, Any] | None:
    """What a run's watched sentence is: `text`, `causal`, `tokens`; None where there is none, or
    it cannot be read."""
    try:
        check_watched(run)
        found: dict[str, Any] = read_json(run / FOLDER / TEXT)
    except (OSError, VitralError):
        return None
    return found


def check_watched(run: Path) -> None:
    """Raises FileNotFoundError, what `read_json` raises, and `file_damaged` where it says something
    else than a sentence."""
    path = run / FOLDER / TEXT
    found = read_json(path)
    if not isinstance(found, dict):
        raise VitralError("file_damaged", path=path, reason=type(found).__name__)
    for name, kind in (("text", str), ("causal", bool), ("tokens", list)):
        if not isinstance(found.get(name), kind):
            raise VitralError("file_damaged", path=path, reason=name)


def watched_steps(run: Path) -> list[int]:
    """The steps at which the sentence was recorded."""
    return [step_of(path) for path in steps_in(run / FOLDER)]


def read_patterns(run: Path, step: int) -> "Tensor":
    """Every head's weights after that step: float32 [layers, heads, tokens, tokens].

    Raises `watched_step_gone` where they were dropped, or never were, and `file_damaged` where
    the file holds something else.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = step_path(run / FOLDER, step)
    try:
        open_checked(path).close()
        patterns = load_file(path)["patterns"]
    except FileNotFoundError:
        raise VitralError("watched_step_gone", step=step) from None
    except (OSError, KeyError, SafetensorError) as error:
        raise VitralError("file_damaged", path=path.name, reason=str(error)[:200]) from None
    shape = tuple(patterns.shape)
    known = patterns.is_floating_point() and len(shape) == 4 and shape[2] == shape[3] > 0
    if not known or not patterns.numel() or not bool(patterns.isfinite().all()):
        raise VitralError("file_damaged", path=path.name, reason=f"patterns {list(shape)}")
    return patterns.float()
