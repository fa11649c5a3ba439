"""The curve of a run, as lines of JSON in its folder.

`curve.jsonl` has a line for each evaluation, `steps.jsonl` one for each step. When a
run resumes from a checkpoint, lines of later steps are removed, since those steps are taken again:
the curve of a run that was killed and resumed equals that of an uninterrupted one.
"""

import json
from pathlib import Path
from typing import Any, TextIO

from vitral.errors import VitralError
from vitral.training.runs.durable import to_disk
from vitral.training.watching.watcher import Evaluated, Stepped, Watcher

EVALUATIONS, STEPS = "curve.jsonl", "steps.jsonl"


class Curve(Watcher):
    """Writes the curve of the run in the folder `out`. Raises `curve_unwritten` if it cannot be
    written."""

    def __init__(self, out: Path) -> None:
        self.paths = (out / EVALUATIONS, out / STEPS)
        self._files: list[TextIO] = []

    def started(self, name: str, num_parameters: int, step: int) -> None:
        self._close()
        try:
            for path in self.paths:
                path.parent.mkdir(parents=True, exist_ok=True)
                _cut_after(path, step)
                self._files.append(path.open("a", encoding="utf-8"))
        except OSError as error:
            raise _unwritten(path, error) from error

    def stepped(self, event: Stepped) -> None:
        self._add(1, event.line())

    def evaluated(self, event: Evaluated) -> None:
        self._add(0, event.line())

    def saving(self, step: int) -> None:
        for path, file in zip(self.paths, self._files, strict=False):
            try:
                file.flush()
                to_disk(path)
            except OSError as error:
                raise _unwritten(path, error) from error

    def stopped(self, step: int) -> None:
        self._close()

    def failed(self) -> None:
        self._close()

    def ended(self, folder: Path) -> None:
        self._close()

    def _add(self, number: int, entries: dict[str, object]) -> None:
        if not self._files:
            return  # single steps outside of a run
        try:
            self._files[number].write(json.dumps(entries, ensure_ascii=False) + "\n")
            self._files[number].flush()
        except OSError as error:
            raise _unwritten(self.paths[number], error) from error

    def _close(self) -> None:
        for file in self._files:
            file.close()
        self._files.clear()


def read_curve(path: Path) -> list[dict[str, Any]]:
    """The complete lines of a curve's file, without one that a killed run left incomplete."""
    entries = []
    for line in path.read_text(encoding="utf-8").split("\n") if path.exists() else []:
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return entries


def _cut_after(path: Path, step: int) -> None:
    """Leave only the lines up to `step`."""
    if not path.exists():
        return
    kept = [entry for entry in read_curve(path) if entry["step"] <= step]
    new = path.with_name(f"{path.name}.new")
    lines = (json.dumps(entry, ensure_ascii=False) + "\n" for entry in kept)
    new.write_text("".join(lines), encoding="utf-8")
    to_disk(new)
    new.replace(path)


def _unwritten(path: Path, error: OSError) -> VitralError:
    return VitralError("curve_unwritten", path=path, reason=error.strerror or str(error))
