"""The process that trains in a run's folder: the one that holds its lock.

The system releases a lock when its process ends or is killed. The file contains the process's
number, so that another one (Studio, a second terminal) can ask it to stop.
"""

import os
import sys
import time
from pathlib import Path
from typing import IO, Any

LOCK = ".lock"
"""Held by the process that trains here, whose number it contains."""

_OURS = ("run.json", "recipe.yaml", "tokenizer.json", "checkpoint")


def is_begun(out: Path) -> bool:
    """Whether there is a run in the folder `out`."""
    return any((out / name).exists() for name in _OURS)


def hold(lock: IO[str]) -> bool:
    """Hold the lock for as long as its file is open, and write this process's number into it;
    False where another process holds it."""
    if not lock_alone(lock):
        time.sleep(0.2)  # `holder_of` holds it for an instant
        if not lock_alone(lock):
            return False
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return True


def holder_of(out: Path) -> int | None:
    """The process that trains in the folder `out` at this moment, None if there is none."""
    try:
        handle = os.open(out / LOCK, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    with os.fdopen(handle, "r+b", buffering=0) as lock:
        if lock_alone(lock):
            return None
        try:
            lock.seek(0)
            number = int(lock.read(20) or 0)
        except (OSError, ValueError):
            return None
    return number if number > 1 else None  # 0 and less would mean many processes to os.kill


def lock_alone(lock: IO[Any]) -> bool:
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
