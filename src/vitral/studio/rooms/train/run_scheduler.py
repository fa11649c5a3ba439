"""Starting, ending and resuming trainings as requested, one at a time.

`tick` is called every second. Its whole state is in files, so a Studio that is started later
continues where this one was.
"""

import json

from vitral.errors import VitralError
from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.studio.rooms.train import processes
from vitral.studio.rooms.train.notes import Note
from vitral.studio.rooms.train.runs import ALIVE, Runs

INTERRUPTED = (130, -2, -9, -15)
"""Exit codes of a process that was asked to end: by Ctrl-C's path, or by the system."""


class RunScheduler:
    """Starts the waiting runs of `runs`, and adds the models of finished ones to the `catalog`."""

    def __init__(self, runs: Runs, catalog: ModelCatalog) -> None:
        self.runs, self.catalog = runs, catalog
        self._offered: dict[str, float] = {}

    def tick(self) -> None:
        """Check which processes ended, start waiting runs, and add finished models."""
        with self.runs.lock:
            for id in list(self.runs.processes):
                self._reap(id)
            if self.runs.working() is None:
                self._start_next()
            self._offer_finished()

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
        """Resume a run, when its turn comes. Raises `run_unknown`, `run_not_resting`."""
        with self.runs.lock:
            self.runs.path(id)
            if self.runs.state(id) not in ("paused", "interrupted", "failed"):
                raise VitralError("run_not_resting", name=id)
            self.runs.want(id, wanted="queue", error=None)

    def _end(self, id: str, wanted: str) -> None:
        with self.runs.lock:
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
        del self.runs.processes[id]
        note = self.runs.notes.read(id)
        if note is None:
            return
        if code == 0:
            self.runs.want(id, wanted="nothing")
        elif code not in INTERRUPTED:
            error = processes.last_words(self.runs.notes.log_path(id))
            self.runs.want(id, wanted="nothing", error=error or f"exit code {code}")

    def _start_next(self) -> None:
        for id in self.runs.ids():  # those that are to end come first: it takes a moment
            note = self.runs.notes.read(id)
            if note is not None and note.wanted == "stop" and note.error is None:
                self._start(id, note, ["--steps", str(self.runs.step(id))])
                return
        for id in self.queue()[:1]:
            note = self.runs.notes.read(id)
            assert note is not None
            self.runs.want(id, wanted="train")
            self._start(id, note, [])

    def _start(self, id: str, note: Note, more: list[str]) -> None:
        arguments = ["train", *self._asked(id, note), *more, "--out", str(self.runs.folder / id)]
        log = self.runs.notes.log_path(id)
        self.runs.processes[id] = processes.start(arguments, log, note.language)

    def _asked(self, id: str, note: Note) -> list[str]:
        """The arguments of `vitral train` that begin a run; none where its folder has them."""
        if (self.runs.folder / id / "recipe.yaml").exists():
            return []
        recipe = self.runs.notes.recipe_path(id)
        source = [note.source] if note.source else []
        if recipe.exists():
            return [*source, "--recipe", str(recipe)]
        return [*source, *dial_arguments(note)]

    def forget(self, id: str) -> None:
        """A run was deleted: remove its model from the catalog."""
        self._offered.pop(id, None)
        self.catalog.remove(id)

    def _offer_finished(self) -> None:
        """Add each newly finished model to the catalog, under its run's name."""
        for id in self.runs.ids():
            model = self.runs.model(id)
            if model is None:
                continue
            made = (model / "config.json").stat().st_mtime
            if self._offered.get(id) == made:
                continue
            self._offered[id] = made
            try:
                self.catalog.add(id, model)
            except VitralError:
                continue  # incomplete, or of a kind that Studio cannot open: it is not added


def dial_arguments(note: Note) -> list[str]:
    """The options of `vitral train` for the dial: minutes, name, and the sentence to watch."""
    arguments = ["--minutes", str(note.minutes), "--name", note.name]
    if note.watch is not None:
        arguments += ["--set", f"watch={json.dumps(note.watch)}"]
    return arguments
