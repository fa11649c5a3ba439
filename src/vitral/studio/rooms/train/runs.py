"""The runs in a folder: those that Studio started, and those started in a terminal.

A request names a run by its id, which is the name of its folder; only existing folders are
searched, so no id can point to another path.
"""

import re
import shutil
import subprocess
import threading
import unicodedata
from pathlib import Path
from typing import Literal

from vitral.errors import VitralError
from vitral.studio.rooms.train.notes import Note, Notes
from vitral.studio.rooms.train.tail import last_line
from vitral.training.runs.curve import STEPS
from vitral.training.runs.run_lock import holder_of, is_begun

State = Literal[
    "queued",
    "preparing",
    "running",
    "pausing",
    "stopping",
    "paused",
    "interrupted",
    "finished",
    "failed",
]
ALIVE: tuple[State, ...] = ("preparing", "running", "pausing", "stopping")
"""States in which a process works."""


class Runs:
    """`folder` contains the runs; Studio's notes of them are in its `.studio`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.studio = folder / ".studio"
        self.notes = Notes(self.studio / "runs")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        """Those that this Studio started and that have not ended."""
        self.lock = threading.RLock()
        """Held while runs are started or deleted."""

    def ids(self) -> list[str]:
        """Every run: the folders of started runs, and runs that wait or failed to start."""
        found = set(self.notes.ids())
        if self.folder.is_dir():
            found |= {path.name for path in self.folder.iterdir() if _is_run(path)}
        return sorted(id for id in found if _is_name(id))

    def path(self, id: str) -> Path:
        """The folder of a run there is. Raises `run_unknown`."""
        if id not in self.ids():
            raise VitralError("run_unknown", name=id[:200])
        return self.folder / id

    def model(self, id: str) -> Path | None:
        """The folder of a run's model, None where it has none yet."""
        model = self.folder / id / "model"
        return model if (model / "config.json").is_file() else None

    def step(self, id: str) -> int:
        """The last step that was taken."""
        line = last_line(self.folder / id / STEPS)
        return int(line["step"]) if line is not None and "step" in line else 0

    def holder(self, id: str) -> int | None:
        """The process that trains there now."""
        process = self.processes.get(id)
        if process is not None:
            return process.pid if process.poll() is None else None
        return holder_of(self.folder / id)

    def state(self, id: str) -> State:
        """What a run is doing."""
        note = self.notes.read(id)
        wanted = note.wanted if note is not None else "nothing"
        if self.holder(id) is not None:
            if wanted == "pause":
                return "pausing"
            if wanted == "stop":
                return "stopping"
            trains = self.step(id) and holder_of(self.folder / id) is not None
            return "running" if trains else "preparing"
        if wanted == "queue":
            return "queued"
        if note is not None and note.error is not None:
            return "failed"
        if wanted == "stop":
            return "stopping"
        if self.model(id) is not None:
            return "finished"
        return "interrupted" if wanted == "train" else "paused"

    def working(self) -> str | None:
        """The run that is being trained now; None if there is none."""
        return next((id for id in self.ids() if self.holder(id) is not None), None)

    def want(self, id: str, **changes: object) -> None:
        """Note what a run should do now; one started in a terminal gets its first note."""
        note = self.notes.read(id) or self._first_note(id)
        self.notes.write(id, note.but(**changes))

    def delete(self, id: str) -> None:
        """Delete a run, with all that is in its folder. Raises `run_unknown`, and
        `run_is_working` while a process trains there."""
        with self.lock:
            path = self.path(id)
            if self.holder(id) is not None:
                raise VitralError("run_is_working", name=id)
            shutil.rmtree(path, ignore_errors=True)
            shutil.rmtree(self.notes.folder / id, ignore_errors=True)

    def new_id(self, name: str) -> str:
        """An id that is not taken, close to a name: "Mis cuentos" gives "mis-cuentos"."""
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "modelo"
        taken = set(self.ids())
        id, number = stem, 1
        while id in taken or (self.folder / id).exists():
            number += 1
            id = f"{stem}-{number}"
        return id

    def _first_note(self, id: str) -> Note:
        created = (self.folder / id).stat().st_mtime
        return Note(name=id, source="", created=created, wanted="nothing")


def _is_name(name: str) -> bool:
    return not name.startswith(".") and name == Path(name).name


def _is_run(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir() or path.name.startswith("."):
        return False
    return is_begun(path)
