"""Which Studio starts the trainings of a folder: of several that serve it, one.

The one that holds the lock, for as long as it runs; the system gives the lock back however that
ends. What another Studio is asked for stands in the notes, and the first starts it. A training's
own process holds the lock of its log from its first instant on, so that a Studio that comes
later sees it before the process has opened its folder.
"""

import os
import sys
from pathlib import Path
from typing import IO

from vitral.training.runs.run_lock import lock_alone

LOCK = "scheduler.lock"


class SchedulingLock:
    """The right to start trainings, for one Studio."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK
        self._file: IO[str] | None = None

    def hold(self) -> bool:
        """Whether this Studio has the right, taken now if it is free. Raises OSError where the
        disk does not take the lock's file."""
        if self._file is not None:
            return True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        if not lock_alone(file):
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Leave it to another Studio."""
        if self._file is not None:
            self._file.close()
            self._file = None


def holds_log(log: Path) -> int | None:
    """The process that writes its output into `log` now, None where there is none. Not on
    Windows, where a lock is not handed on to another process."""
    if sys.platform == "win32":
        return None
    try:
        handle = os.open(log, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(handle, "rb", buffering=0) as file:
        return None if lock_alone(file) else _number(log)


def _number(log: Path) -> int | None:
    """The process's number, as Studio noted it when it started the process."""
    try:
        number = int(log.with_name("pid").read_text(encoding="ascii")[:20])
    except (OSError, ValueError):
        return None
    return number if number > 1 else None
