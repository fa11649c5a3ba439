"""Asking the C library to keep memory: granted by GNU's, no harm elsewhere."""

import platform
import subprocess
import sys

import pytest

from vitral.training.optimization import kept_memory

ASKED = (
    "from vitral.training.optimization.kept_memory import keep_memory;"
    "import sys; sys.exit(not keep_memory())"
)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a matter of GNU's C library")
def test_gnus_library_grants_it() -> None:
    assert subprocess.run([sys.executable, "-c", ASKED], check=False).returncode == 0


def test_another_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_memory.ctypes, "CDLL", lambda _: object())
    assert kept_memory.keep_memory() is False
