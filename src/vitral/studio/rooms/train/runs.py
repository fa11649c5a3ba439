"""The runs in a folder: those that Studio started, and those started in a terminal.

A request names a run by its id, which is the name of its folder; only existing folders are
searched, so no id can point to another path.
"""

import os
import re
import shutil
import subprocess
import threading
import unicodedata
from pathlib import Path
from typing import Literal

from vitral.checked_files import is_plain
from vitral.errors import VitralError
from vitral.studio.rooms.train.curve_lines import StepLine
from vitral.studio.rooms.train.notes import Note, Notes
from vitral.studio.rooms.train.run_damage import damage_of
from vitral.studio.rooms.train.scheduling_lock import holds_log
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
    "damaged",
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
        """Every run: folders in which one was begun, and those that wait or failed to begin. Raises
        `file_unreadable` where the folder of all runs cannot be read."""
        return sorted(self._folders())

    def path(self, id: str) -> Path:
        """The folder of a run there is. Raises `run_unknown`."""
        path = self._folders().get(id)
        if path is None:
            raise VitralError("run_unknown", name=id[:200])
        return path

    def damage(self, id: str) -> VitralError | None:
        """What cannot be read of a run, None where all can."""
        return damage_of(self.path(id), self.notes, id)

    def model(self, id: str) -> Path | None:
        """The folder of a run's model, None where it has none yet."""
        model = self.folder / id / "model"
        try:
            return model if (model / "config.json").is_file() else None
        except OSError:
            return None

    def step(self, id: str) -> int:
        """The last step that was taken."""
        line = last_line(self.folder / id / STEPS, StepLine)
        return 0 if line is None else int(line["step"])

    def holder(self, id: str) -> int | None:
        """The process that trains there now."""
        process = self.processes.get(id)
        if process is not None:
            return process.pid if process.poll() is None else None
        return holder_of(self.folder / id) or holds_log(self.notes.log_path(id))

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
        if self.damage(id) is not None:
            return "damaged"
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
        `run_is_working` while a process trains there, and `not_deleted`."""
        with self.lock:
            path = self.path(id)
            if self.holder(id) is not None:
                raise VitralError("run_is_working", name=id)
            for folder in (path, self.notes.folder / id):
                delete_folder(folder)

    def new_id(self, name: str) -> str:
        """An id that is not taken, close to a name: "Mis cuentos" gives "mis-cuentos". No other
        Studio on this folder gets the same. Raises OSError where the disk takes no notes."""
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "modelo"
        taken = set(self.ids())
        id, number = stem, 1
        while id in taken or (self.folder / id).exists() or not self.notes.reserve(id):
            number += 1
            id = f"{stem}-{number}"
        return id

    def _folders(self) -> dict[str, Path]:
        """The runs' folders by id: their names, those that cannot be shown with escapes."""
        found = {id: self.folder / id for id in self.notes.ids() if _is_name(id)}
        try:
            paths = list(self.folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return found
        except OSError as error:
            reason = error.strerror or str(error)
            raise VitralError("file_unreadable", path=self.folder, reason=reason) from error
        for path in paths:
            if _is_name(path.name) and _is_run(path):
                found[path.name if is_plain(path.name) else _escaped(path.name)] = path
        return found

    def _first_note(self, id: str) -> Note:
        created = (self.folder / id).stat().st_mtime
        return Note(name=id, source="", created=created, wanted="nothing")


def _is_name(name: str) -> bool:
    return not name.startswith(".") and name == Path(name).name


def _is_run(path: Path) -> bool:
    """Whether a run was begun in a folder; also true of one that cannot be read."""
    try:
        return not path.is_symlink() and path.is_dir() and is_begun(path)
    except OSError:
        return True


def _escaped(name: str) -> str:
    """A name that cannot be shown, with what is wrong in it as "\\x1b"."""
    shown = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(sign if is_plain(sign) else f"\\x{ord(sign):02x}" for sign in shown)


def delete_folder(folder: Path) -> None:
    """Delete a folder with all that is in it, one that is not there too. Raises `not_deleted`."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except (OSError, RecursionError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise VitralError("not_deleted", path=folder.name, reason=reason) from error
