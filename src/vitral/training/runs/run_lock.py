"""The process that trains in a run's folder: the one that holds its lock.

The system releases a lock when its process ends or is killed. The file contains the process's
number, so that another one (Studio, a second terminal) can ask it to stop.
"""

import os
import sys
import time
from pathlib import Path
from typing import IO

LOCK = ".lock"
"""Held by the process that trains here, whose number it contains."""

_OURS = ("run.json", "recipe.yaml", "tokenizer.json", "checkpoint")


def is_begun(out: Path) -> bool:
    """Whether there is a run in the folder `out`."""
    return any((out / name).exists() for name in _OURS)


def hold(lock: IO[str]) -> bool:
    """Hold the lock for as long as its file is open, and write this process's number into it;
    False where another process holds it."""
    if not _locked(lock):
        time.sleep(0.2)  # `holder_of` holds it for an instant
        if not _locked(lock):
            return False
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return True


def holder_of(out: Path) -> int | None:
    """The process that trains in the folder `out` at this moment, None if there is none."""
    try:
        with (out / LOCK).open("r+") as lock:
            if _locked(lock):
                return None
            lock.seek(0)
            return int(lock.read() or 0) or None
    except (OSError, ValueError):
        return None


def _locked(lock: IO[str]) -> bool:
    """Whether the file could be locked for this process alone."""
    try:
        if sys.platform == "win32":
            import msvcrt

            lock.seek(2**20)  # beyond the number, which others may read
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
