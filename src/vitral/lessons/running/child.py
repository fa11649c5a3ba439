"""The program in which a learner's code runs: JSON in, JSON out. It imports nothing of Vitral.

    python -I child.py DESCRIPTOR < job.json

The job is read from standard input, the answer is written to the file descriptor. What the code
prints goes to standard output, which is the learner's own. Before the code runs, the process gives
up memory, files and the right to begin others; an audit hook then refuses what a function of an
exercise never needs, and the answer says what was refused. An audit hook keeps mistakes in bounds;
a wall against an attacker is bubblewrap, in which this process runs where it can.
"""

import contextlib
import json
import os
import sys

MODULES = (
    "bisect", "cmath", "collections", "copy", "dataclasses", "decimal", "enum", "fractions",
    "functools", "heapq", "itertools", "json", "math", "operator", "random", "re", "statistics",
    "string", "time", "typing",
)  # fmt: skip
"""What is imported beforehand, beside numpy: no file has to be read later."""

REFUSED = frozenset((
    "_ctypes", "_interpreters", "_multiprocessing", "_posixshmem", "_posixsubprocess", "_socket",
    "_testcapi", "_xxsubinterpreters", "asyncio", "cffi", "ctypes", "faulthandler", "gc", "inspect",
    "mmap", "multiprocessing", "pty", "resource", "select", "signal", "socket", "ssl", "subprocess",
    "tempfile", "threading",
))  # fmt: skip


def limit(job):
    """Give up what the job does not need: memory, large files, processor time, descriptors."""
    import resource

    def most(kind, number):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (number, number))

    most(resource.RLIMIT_AS, job["memory_bytes"])
    most(resource.RLIMIT_CPU, int(job["seconds"]) + 1)
    most(resource.RLIMIT_FSIZE, 0)
    most(resource.RLIMIT_CORE, 0)
    most(resource.RLIMIT_NOFILE, 64)
    if os.getuid() != 0:
        most(resource.RLIMIT_NPROC, 0)


def guarded(refused, say):
    """An audit hook that raises for every event that reaches beyond the process."""
    kinds = ("os.", "socket.", "subprocess.", "shutil.", "ctypes.", "pty.", "mmap.", "signal.",
             "fcntl.", "glob.", "tempfile.", "urllib.", "http.", "ftplib.", "smtplib.", "sqlite3.",
             "resource.", "gc.", "winreg.", "webbrowser.", "sys.set", "sys.addaudithook",
             "cpython.", "object.__setattr__", "object.__delattr__", "_thread.",
             "syslog.")  # fmt: skip
    libraries = tuple({path + os.sep for path in sys.path if path})
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT
    text, number, error, note = str, int, PermissionError, say

    def hook(event, arguments):
        if event == "open":
            path, _, flags = arguments
            reads = not (type(flags) is number and flags & writing)
            if reads and type(path) is text and path.startswith(libraries) and ".." not in path:
                return
            note("open")
            raise error("open")
        if event == "import":
            if arguments[0].partition(".")[0] in refused:
                note("import " + arguments[0])
                raise error(event)
            return
        if event in ("os.listdir", "os.scandir") and text(arguments[0]).startswith(libraries):
            return  # the import system looks for a module
        if event.startswith(kinds):
            note(event)
            raise error(event)

    return hook


def plain(value, depth=0):
    """`value` as JSON carries it exactly; TypeError names what is no number, text or list."""
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        value = value.tolist()
    if value is None or type(value) in (bool, int, float, str):
        return value
    if depth < 8 and type(value) in (list, tuple):
        return [plain(each, depth + 1) for each in value]
    if depth < 8 and type(value) is dict and all(type(key) is str for key in value):
        return {key: plain(each, depth + 1) for key, each in value.items()}
    raise TypeError(type(value).__name__)


def line_in(error, name):
    """The line of the learner's code where `error` arose, or None."""
    line = error.lineno if isinstance(error, SyntaxError) else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == name:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def described(error, refusals):
    """An error as the answer carries it."""
    kind = type(error).__name__
    try:
        text = str(error)[:300]
    except BaseException:
        text = ""
    if isinstance(error, PermissionError) and refusals:
        return {"kind": "refused", "text": refusals[-1], "line": line_in(error, "<code>")}
    return {"kind": kind, "text": text, "line": line_in(error, "<code>")}


def answer_to(job):
    """What the code returns for each call, or how it failed."""
    for name in MODULES:
        __import__(name)
    if "numpy" in job["code"]:
        with contextlib.suppress(ImportError):
            import numpy  # noqa: F401
    refusals = []
    namespace = {"__name__": "lesson"}
    try:
        program = compile(job["code"], "<code>", "exec")
    except BaseException as error:
        return {"failed": described(error, refusals)}
    sys.addaudithook(guarded(REFUSED, refusals.append))
    try:
        exec(program, namespace)
    except BaseException as error:
        return {"failed": described(error, refusals)}
    if job["function"] is None:
        return {"results": []}
    function = namespace.get(job["function"])
    if not callable(function):
        return {"failed": {"kind": "missing", "text": job["function"], "line": None}}
    results = []
    for arguments in job["calls"]:
        try:
            results.append({"value": plain(function(*arguments))})
        except BaseException as error:
            results.append({"failed": described(error, refusals)})
    return {"results": results}


def main():
    channel = int(sys.argv[1])
    job = json.loads(sys.stdin.buffer.read())
    limit(job)
    write, dumps, leave = os.write, json.dumps, os._exit
    answer = answer_to(job)
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
    try:
        data = dumps(answer).encode()
    except BaseException:
        data = b'{"failed": {"kind": "unreadable", "text": "", "line": null}}'
    while data:
        data = data[write(channel, data) :]
    leave(0)


if __name__ == "__main__":
    main()
