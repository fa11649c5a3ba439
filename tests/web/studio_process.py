"""`vitral studio` as people start it: a process of its own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@contextmanager
def running_studio(
    *models: Path, port: int = 0, runs: Path | None = None
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`vitral studio` on `models` as a process of its own: its address and the process. Without
    a folder of `runs` it has an empty one."""
    if runs is None:
        with (
            tempfile.TemporaryDirectory(prefix="vitral-runs-") as folder,
            running_studio(*models, port=port, runs=Path(folder)) as found,
        ):
            yield found
        return
    command = [sys.executable, "-m", "vitral", "studio", "--no-browser", "--port", str(port)]
    command += ["--runs", str(runs)]
    for model in models:
        command += ["--model", str(model)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert "http://" in line, f"Studio said {line!r} and ended with {process.poll()}"
            yield line.split()[-1].rstrip("/"), process
        finally:
            process.terminate()
            process.wait(20)
