"""What stands between a learner's code and this machine.

bubblewrap, where it is installed and works: namespaces of the kernel, in which there is no network,
no other process and no file that could be written. Elsewhere the process's own limits, which hold
against mistakes. On Windows neither exists, and no code is run there.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

Protection = Literal["bubblewrap", "process", "none"]

CHILD = Path(__file__).with_name("child.py")


@cache
def bubblewrap() -> tuple[str, ...] | None:
    """The beginning of a command that runs the rest inside bubblewrap; None where it does not
    work."""
    program = shutil.which("bwrap")
    if program is None or sys.platform != "linux":
        return None
    command = (program, *_options())
    try:
        done = subprocess.run(
            [*command, sys.executable, "-I", "-c", "print(1)"],
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return command if done.stdout == b"1\n" else None


def protection() -> Protection:
    """What learner's code would run under."""
    if sys.platform == "win32":
        return "none"
    return "bubblewrap" if bubblewrap() is not None else "process"


def command(channel: int, *, isolated: bool) -> Sequence[str]:
    """The command that runs child.py; its answer comes on the file descriptor `channel`."""
    inside = bubblewrap() if isolated else None
    return [*(inside or ()), sys.executable, "-I", str(CHILD), str(channel)]


def _options() -> list[str]:
    """Everything unshared; the system, this Python and the child's program may be read."""
    options = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    options += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    readable = {Path(part) for part in ("/usr", "/bin", "/lib", "/lib64", "/etc/alternatives")}
    readable |= {Path(sys.prefix), Path(sys.base_prefix), Path(sys.base_exec_prefix), CHILD}
    readable.add(Path(sys.executable).resolve().parent)
    for path in sorted(readable):
        if path.is_symlink():
            options += ["--symlink", str(path.readlink()), str(path)]
        elif path.exists():
            options += ["--ro-bind", str(path), str(path)]
    return [*options, "--chdir", "/tmp"]
