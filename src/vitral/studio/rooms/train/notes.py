"""Studio's notes of a run, outside the run's folder: how it was requested, and what it should do.

Studio writes nothing into the run's own folder. A run called `gatos` has its notes, the requested
recipe and the output of its process in `.studio/gatos/`, from which another Studio can continue.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from vitral.training.runs.durable import write_file

Wanted = Literal["queue", "train", "pause", "stop", "nothing"]


@dataclass(frozen=True)
class Note:
    """`source` is what it reads. `settings` are the recipe's entries by their dotted names, of a
    run whose reader set them; else the dial chooses for so many `minutes`. `wanted` is what was
    last asked for: to wait in the queue, to train, to pause, to end now with the model as it is.
    `error` is the message of its process when it failed."""

    name: str
    source: str
    created: float
    language: str = "en"
    minutes: float | None = None
    watch: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    wanted: Wanted = "queue"
    error: str | None = None

    def but(self, **changes: Any) -> "Note":
        return replace(self, **changes)


class Notes:
    """The notes in a folder, by run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ids(self) -> list[str]:
        """The runs that have notes."""
        if not self.folder.is_dir():
            return []
        return [path.parent.name for path in self.folder.glob("*/note.json")]

    def read(self, id: str) -> Note | None:
        """The note of a run; None for a run that was started in a terminal."""
        try:
            entries = json.loads((self.folder / id / "note.json").read_text(encoding="utf-8"))
            return Note(**entries)
        except (OSError, ValueError, TypeError):
            return None

    def write(self, id: str, note: Note) -> None:
        (self.folder / id).mkdir(parents=True, exist_ok=True)
        entries = json.dumps(asdict(note), ensure_ascii=False)
        write_file(self.folder / id / "note.json", entries)

    def recipe_path(self, id: str) -> Path:
        """The file of the recipe from the form."""
        return self.folder / id / "recipe.yaml"

    def log_path(self, id: str) -> Path:
        """The output of the run's process."""
        return self.folder / id / "log.txt"
