"""One run of a learner's code, from its start to its end, whatever it does.

It ends within its time: the whole process group is killed when that is over, when it writes more
than it may, and when it has answered. Its temporary home goes with it.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vitral.errors import VitralError
from vitral.lessons.running.protection import command, protection

MOST_CODE = 20_000
"""Most characters of a learner's code."""


@dataclass(frozen=True)
class Bounds:
    """How much one run may take."""

    seconds: float = 5.0
    memory_bytes: int = 1024 * 2**20
    output_bytes: int = 4096
    answer_bytes: int = 2**20


@dataclass(frozen=True)
class Run:
    """What came of it: a result for each call, or one error for all; and what the code printed."""

    results: list[dict[str, Any]] = field(default_factory=list)
    error: VitralError | None = None
    printed: str = ""


def run_code(
    code: str,
    function: str | None = None,
    calls: Sequence[Sequence[Any]] = (),
    bounds: Bounds | None = None,
    *,
    isolated: bool = True,
) -> Run:
    """Run `code`, then call its `function` with each of `calls`.

    `isolated` False leaves bubblewrap out. Whatever the code does, a `Run` is returned, whose
    error is one line: code_too_long, code_timeout, code_output, code_died, code_failed and others.
    Raises VitralError("code_off") where this system has no protection to run it under.
    """
    bounds = bounds or Bounds()
    if protection() == "none":
        raise VitralError("code_off")
    if len(code) > MOST_CODE:
        return Run(error=VitralError("code_too_long", limit=MOST_CODE))
    job = json.dumps(
        {
            "code": code,
            "function": function,
            "calls": [list(each) for each in calls],
            "seconds": bounds.seconds,
            "memory_bytes": bounds.memory_bytes,
        }
    ).encode()
    with tempfile.TemporaryDirectory(prefix="vitral-code-") as home:
        answer, printed, error = _communicate(job, Path(home), bounds, isolated)
    if error is not None:
        return Run(error=error, printed=printed)
    return _understood(answer, printed)


def _communicate(
    job: bytes, home: Path, bounds: Bounds, isolated: bool
) -> tuple[bytes, str, VitralError | None]:
    """The answer, what was printed, and why the run was ended before its time."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        command(writing, isolated=isolated),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=home,
        env=_environment(home),
        pass_fds=(writing,),
        start_new_session=True,
        bufsize=0,
    )
    os.close(writing)
    assert process.stdin is not None
    assert process.stdout is not None
    error: VitralError | None = None
    received = {reading: bytearray(), process.stdout.fileno(): bytearray()}
    most = {reading: bounds.answer_bytes, process.stdout.fileno(): bounds.output_bytes}
    output = process.stdout.fileno()
    try:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(job)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        error = _listen(received, most, time.monotonic() + bounds.seconds, bounds.seconds)
    finally:
        _end(process)
        process.stdout.close()
        os.close(reading)
    printed = bytes(received[output][: bounds.output_bytes]).decode("utf-8", "replace")
    answer = bytes(received[reading])
    if error is None and not answer:
        error = _death(process.returncode, printed)
    return answer, printed, error


def _listen(
    received: dict[int, bytearray], most: dict[int, int], deadline: float, seconds: float
) -> VitralError | None:
    """Read both pipes until the answer's is closed."""
    answer = next(iter(received))
    with selectors.DefaultSelector() as selector:
        for descriptor in received:
            selector.register(descriptor, selectors.EVENT_READ)
        while answer in selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                return VitralError("code_timeout", seconds=f"{seconds:g}")
            for key, _ in ready:
                part = os.read(key.fd, 65536)
                if not part:
                    selector.unregister(key.fd)
                received[key.fd] += part
                if len(received[key.fd]) > most[key.fd]:
                    return VitralError("code_output", limit=most[key.fd])
    return None


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Nothing of it goes on."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _death(code: int | None, printed: str) -> VitralError:
    """Why a process ended without an answer."""
    if "MemoryError" in printed or code in (-signal.SIGKILL, 128 + signal.SIGKILL):
        return VitralError("code_memory")
    return VitralError("code_died")


def _understood(answer: bytes, printed: str) -> Run:
    """An answer is data of strangers: anything that is not as it should be is a failure."""
    try:
        found = json.loads(answer)
        if "failed" in found:
            return Run(error=failure(found["failed"]), printed=printed)
        results = [dict(each) for each in found["results"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Run(error=VitralError("code_died"), printed=printed)
    return Run(results=results, printed=printed)


def failure(failed: Any) -> VitralError:
    """How the code failed, as one line."""
    if not isinstance(failed, dict):
        return VitralError("code_died")
    kind, text = str(failed.get("kind"))[:80], " ".join(str(failed.get("text")).split())[:300]
    line = failed.get("line")
    where = line if isinstance(line, int) else "?"
    if kind == "refused":
        return VitralError("code_refused", action=text, line=where)
    if kind == "missing":
        return VitralError("code_no_function", function=text)
    if kind == "MemoryError":
        return VitralError("code_memory")
    if kind in ("SyntaxError", "IndentationError", "TabError"):
        return VitralError("code_syntax", line=where, reason=text)
    if kind == "SystemExit":
        return VitralError("code_died")
    if kind == "TypeError" and line is None:
        return VitralError("code_returned", type=text)
    return VitralError("code_failed", line=where, kind=kind, reason=text)


def _environment(home: Path) -> dict[str, str]:
    threads = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
    return {
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "PYTHONIOENCODING": "utf-8",
        **{f"{name}_NUM_THREADS": "1" for name in threads},
    }
