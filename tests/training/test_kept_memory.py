"""Freed memory stays with the process that was told to keep it."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, torch
from vitral.training.kept_memory import keep_memory
if {kept}:
    assert keep_memory()
for _ in range(8):
    torch.ones(3_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(8):
    torch.ones(3_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a matter of GNU's C library")
def test_large_pieces_are_not_fetched_again() -> None:
    faults = [
        int(
            subprocess.run(
                [sys.executable, "-c", FAULTS.format(kept=kept)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for kept in (False, True)
    ]
    assert faults[0] > 1000
    assert faults[1] < faults[0] / 4
