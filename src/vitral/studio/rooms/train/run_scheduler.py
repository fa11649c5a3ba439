"""Starting, ending and resuming trainings as requested, one at a time.

`tick` is called every second. All it knows stands in files, so another Studio that is started
later goes on where this one was. What goes wrong with one run is noted as that run's failure, and
keeps no other from its turn. A disk that is full or read-only keeps a run waiting until it is not.
"""

import contextlib
import errno
import json
import logging
import os
import shutil
from collections.abc import Callable
from functools import partial

from vitral.errors import VitralError
from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.studio.disk import LATER, disk_refuses, taken_by_disk
from vitral.studio.rooms.train import processes
from vitral.studio.rooms.train.notes import Note
from vitral.studio.rooms.train.runs import ALIVE, Runs
from vitral.studio.rooms.train.scheduling_lock import SchedulingLock

INTERRUPTED = (130, -2, -9, -15)
"""Exit codes of a process that was asked to end: by Ctrl-C's path, or by the system."""


LEAST_FREE = 2**20
"""Bytes; a disk with less is full."""

log = logging.getLogger("vitral.studio")


class RunScheduler:
    """Starts the waiting runs of `runs`, and adds the models of finished ones to the `catalog`."""

    def __init__(self, runs: Runs, catalog: ModelCatalog) -> None:
        self.runs, self.catalog = runs, catalog
        self.failures: dict[str, str] = {}
        """What went wrong with a run and could not be noted: on a full disk, say."""
        self.trouble: VitralError | None = None
        """Why no training can be started now."""
        self._lock = SchedulingLock(runs.studio)
        self._offered: dict[str, float] = {}

    def tick(self) -> None:
        """See what has ended, start what may begin, offer what is finished. Raises nothing."""
        with self.runs.lock:
            self.trouble = None
            for id in list(self.runs.processes):
                if not self._attempt(id, partial(self._reap, id)):
                    self._let_go(id)
            ids = self._ids()
            if ids and self._may_start() and self.runs.working() is None:
                self._start_next()
            for id in ids:
                self._attempt(id, partial(self._offer_finished, id))

    def close(self) -> None:
        """Leave the starting of trainings to another Studio."""
        self._lock.release()

    def _ids(self) -> list[str]:
        try:
            return self.runs.ids()
        except VitralError as error:
            self.trouble = error
            return []

    def _may_start(self) -> bool:
        """Whether it is this Studio that starts trainings here."""
        try:
            return self._lock.hold()
        except OSError as error:
            self.trouble = disk_refuses(self.runs.folder, error)
            return False

    def _attempt(self, id: str, work: Callable[[], object]) -> bool:
        """Do it; False where it failed, which is then that run's failure."""
        try:
            work()
        except Exception as error:
            self._failed(id, error)
            return False
        return True

    def _let_go(self, id: str) -> None:
        """A process whose end could not be noted, for another reason than a full disk."""
        if id not in self.failures:
            self.runs.processes.pop(id, None)

    def _failed(self, id: str, error: Exception) -> None:
        if isinstance(error, OSError) and error.errno in LATER:
            problem: Exception = disk_refuses(self.runs.folder, error)
            self.trouble = self.trouble or disk_refuses(self.runs.folder, error)
        else:
            problem = error
        known = isinstance(problem, VitralError)
        said = str(problem) if known else f"{type(error).__name__}: {error}"
        if self.failures.get(id) != said[:2000]:
            log.warning("%s: %s", id, said, exc_info=None if known else error)
        self.failures[id] = said[:2000]
        if problem is error:
            with contextlib.suppress(OSError, ValueError, VitralError):
                self.runs.want(id, wanted="nothing", error=said[:2000])
                del self.failures[id]

    def queue(self) -> list[str]:
        """The runs that wait, in their order."""
        waiting = []
        for id in self.runs.ids():
            note = self.runs.notes.read(id)
            if note is not None and note.wanted == "queue":
                waiting.append((note.created, id))
        return [id for _, id in sorted(waiting)]

    def pause(self, id: str) -> None:
        """Pause a run after saving, or take it from the queue. Raises `run_unknown`,
        `run_not_working`."""
        self._end(id, "pause")

    def stop(self, id: str) -> None:
        """End a run now, with the model as it is. Raises `run_unknown`, `run_not_working`,
        `run_not_begun` before its first step."""
        with self.runs.lock:
            self.runs.path(id)
            if self.runs.step(id) == 0:
                raise VitralError("run_not_begun", name=id)
            self._end(id, "stop")

    def resume(self, id: str) -> None:
        """Have a run go on, when its turn comes. Raises `run_unknown`, `run_not_resting`."""
        with self.runs.lock, taken_by_disk(self.runs.folder):
            self.runs.path(id)
            if self.runs.state(id) not in ("paused", "interrupted", "failed"):
                raise VitralError("run_not_resting", name=id)
            self.failures.pop(id, None)
            self.runs.want(id, wanted="queue", error=None)

    def _end(self, id: str, wanted: str) -> None:
        with self.runs.lock, taken_by_disk(self.runs.folder):
            self.runs.path(id)
            state = self.runs.state(id)
            resting = ("paused", "interrupted", "failed")
            allowed = (*ALIVE, "queued") if wanted == "pause" else (*ALIVE, *resting)
            if state not in allowed:
                raise VitralError("run_not_working", name=id)
            self.runs.want(id, wanted=wanted, error=None)
            pid = self.runs.holder(id)
            if pid is not None and state not in ("pausing", "stopping"):
                processes.interrupt(pid)  # a second one would not wait for the step

    def _reap(self, id: str) -> None:
        process = self.runs.processes[id]
        code = process.poll()
        if code is None:
            return
        note = self.runs.notes.read(id)
        if note is not None and code == 0:
            self.runs.want(id, wanted="nothing")
        elif note is not None and code not in INTERRUPTED:
            error = processes.last_words(self.runs.notes.log_path(id))
            self.runs.want(id, wanted="nothing", error=error or self._without_words(code))
        del self.runs.processes[id]  # once it is noted: on a full disk, another time
        self.failures.pop(id, None)

    def _without_words(self, code: int) -> str:
        """Why a process ended that could say nothing, as on a full disk."""
        with contextlib.suppress(OSError):
            if shutil.disk_usage(self.runs.folder).free < LEAST_FREE:
                full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return str(disk_refuses(self.runs.folder, full))
        return f"exit code {code}"

    def _start_next(self) -> None:
        """Start the first run that can be started; one that cannot has failed."""
        for id in self.runs.ids():  # those that are to end come first: it takes a moment
            note = self.runs.notes.read(id)
            if note is not None and note.wanted == "stop" and note.error is None:
                steps = f"--steps={self.runs.step(id)}"
                if self._attempt(id, partial(self._start, id, note, [steps])):
                    return
        for id in self.queue():
            note = self.runs.notes.read(id)
            if note is not None and self._attempt(id, partial(self._begin, id, note)):
                return

    def _begin(self, id: str, note: Note) -> None:
        self.runs.want(id, wanted="train")
        try:
            self._start(id, note, [])
        except OSError as error:
            if error.errno in LATER:
                self.runs.want(id, wanted="queue")
            raise
        self.failures.pop(id, None)

    def _start(self, id: str, note: Note, more: list[str]) -> None:
        out = self.runs.folder / id
        arguments = ["train", *self._asked(id, note), *more, f"--out={out}"]
        log = self.runs.notes.log_path(id)
        self.runs.processes[id] = processes.start(arguments, log, note.language)

    def _asked(self, id: str, note: Note) -> list[str]:
        """The arguments of `vitral train` that begin a run; none where its folder has them."""
        if (self.runs.folder / id / "recipe.yaml").exists():
            return []
        recipe = self.runs.notes.recipe_path(id)
        source = [note.source] if note.source else []
        if recipe.exists():
            return [*source, f"--recipe={recipe}"]
        return [*source, *dial_arguments(note)]

    def forget(self, id: str) -> None:
        """A run was deleted: remove its model from the catalog."""
        self._offered.pop(id, None)
        self.catalog.remove(id)

    def _offer_finished(self, id: str) -> None:
        """Offer a model that was finished since, by its run's name."""
        model = self.runs.model(id)
        if model is None:
            return
        made = (model / "config.json").stat().st_mtime
        if self._offered.get(id) == made:
            return
        self._offered[id] = made
        try:
            note = self.runs.notes.read(id)
            self.catalog.add(id, model, title=None if note is None else note.name)
        except VitralError:
            return  # not whole, or of a kind that Studio cannot open: it stays unoffered


def dial_arguments(note: Note) -> list[str]:
    """The options of `vitral train` for the dial: minutes, name, and the sentence to watch."""
    arguments = [f"--minutes={note.minutes}", f"--name={note.name}"]
    if note.watch is not None:
        arguments.append(f"--set=watch={json.dumps(note.watch)}")
    return arguments
