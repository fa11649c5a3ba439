"""The process of a training: `vitral train`, the same command as in a terminal.

It is a separate process in its own session, so that it continues when Studio ends or is killed;
it leaves one core, and a higher priority, to the models that Studio runs at the same time.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PRIORITY = 10
"""Its niceness (`nice`)."""

LOG_END = 8192


def num_threads() -> int:
    """The number of cores that this process may use minus one, at least one."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)) - 1)
    return max(1, (os.cpu_count() or 2) - 1)


def start(arguments: Sequence[str], log: Path, language: str) -> "subprocess.Popen[bytes]":
    """Run `vitral` with those arguments; its output goes into `log`, in that language."""
    threads = str(num_threads())
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": threads,
        "RAYON_NUM_THREADS": threads,
        "VITRAL_LANGUAGE": language,
        "PYTHONIOENCODING": "utf-8",
    }
    command = [sys.executable, "-m", "vitral", *arguments, "--threads", threads]
    nice = shutil.which("nice")
    if nice is not None:
        command = [nice, "-n", str(PRIORITY), *command]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )


def interrupt(pid: int) -> None:
    """Do what Ctrl-C does: the step is finished, everything is saved."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGINT)


def last_words(log: Path) -> str:
    """Why a process ended: its error line, or the mistakes that it listed."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - LOG_END))
            output = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    starts = [place for place, line in enumerate(lines) if line.startswith("vitral: ")]
    if starts:
        return " ".join(lines[starts[-1] :]).removeprefix("vitral: ")[:2000]
    return lines[-1][:500] if lines else ""
