"""Studio's notes of a run, outside the run's folder: how it was requested, and what it should do.

Studio writes nothing into the run's own folder. A run called `gatos` has its notes, the requested
recipe and the output of its process in `.studio/gatos/`, from which another Studio can continue.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from vitral.checked_files import is_plain, read_as
from vitral.errors import VitralError
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
        """The runs of which something is noted."""
        try:
            names = [entry.name for entry in os.scandir(self.folder)]
        except OSError:
            return []
        noted = (name for name in names if os.path.lexists(self._path(name)))
        return [name for name in noted if is_plain(name)]

    def read(self, id: str) -> Note | None:
        """The note of a run; None where there is none, as of a run begun in a terminal, and where
        it cannot be read."""
        try:
            return self.check(id)
        except (OSError, VitralError):
            return None

    def check(self, id: str) -> Note:
        """The same. Raises FileNotFoundError, and what `read_as` raises."""
        return read_as(self._path(id), Note)

    def _path(self, id: str) -> Path:
        return self.folder / id / "note.json"

    def reserve(self, id: str) -> bool:
        """Make the folder of a run's notes; False where another Studio just made it."""
        try:
            (self.folder / id).mkdir(parents=True)
        except FileExistsError:
            return False
        return True

    def write(self, id: str, note: Note) -> None:
        (self.folder / id).mkdir(parents=True, exist_ok=True)
        entries = json.dumps(asdict(note), ensure_ascii=False)
        write_file(self._path(id), entries)

    @contextmanager
    def all_or_nothing(self, id: str) -> Iterator[None]:
        """Inside, a run is first noted; where that fails, nothing of it stays."""
        try:
            yield
        except BaseException:
            shutil.rmtree(self.folder / id, ignore_errors=True)
            raise

    def recipe_path(self, id: str) -> Path:
        """The file of the recipe from the form."""
        return self.folder / id / "recipe.yaml"

    def log_path(self, id: str) -> Path:
        """The output of the run's process."""
        return self.folder / id / "log.txt"
