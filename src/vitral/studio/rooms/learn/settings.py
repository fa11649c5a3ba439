"""Which lessons the Learn room has, where it notes what is done, and whether it runs code."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_data_path

from vitral.lessons.running.process import Bounds


def progress_file() -> Path:
    """What this reader has done, in the user's own data folder."""
    return user_data_path("vitral") / "progress.jsonl"


@dataclass(frozen=True)
class LearnSettings:
    """`runs_code` says whether this Studio may run what a learner writes: `vitral studio` says so
    where only this machine reaches it, and where it was asked to."""

    lessons: Sequence[Path] = ()
    """Folders with lessons of others: data, no code of theirs is run."""
    progress: Path = field(default_factory=progress_file)
    runs_code: bool = True
    bounds: Bounds = field(default_factory=Bounds)
    """How much one run of a learner's code may take."""
    runs_at_once: int = 2
    """Most programs of learners that run at one time; others wait."""
