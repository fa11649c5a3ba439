"""The Train room's settings: the folder of its runs, the texts that it offers, its limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vitral.studio.limits import MIB


@dataclass(frozen=True)
class TrainSettings:
    """Sizes are in bytes."""

    runs: Path = Path("runs")
    """The folder of the trainings."""
    texts: Sequence[str | Path] = ()
    """Files and folders that may be read, in addition to offered and uploaded texts."""
    upload_bytes: int = 256 * MIB
    """Largest text that may be uploaded to learn from."""
    uploads: int = 64
    """Most uploaded texts kept …"""
    all_upload_bytes: int = 2048 * MIB
    """… and the most bytes of all of them."""
    listeners: int = 32
    """Most pages that follow trainings at one time."""
