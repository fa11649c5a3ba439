"""A folder's files written all or not at all.

A disk can fill up in the middle of a model. So the files are written into an empty folder inside
the one they are meant for, and take their names only when all of them are there.
"""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from vitral.errors import VitralError


def write_all(folder: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write files into a new folder, then move them into `folder`, made if missing.

    Raises VitralError `file_unwritable`; `folder` is then as it was before.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    staging: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=folder, prefix=".new-"))
        fill(staging)
        for path in sorted(staging.iterdir()):
            path.replace(folder / path.name)
    except Exception as error:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        _remove_empty(made)
        refused = as_os_error(error)
        if refused is None:
            raise
        reason = refused.strerror or str(refused)
        raise VitralError("file_unwritable", path=folder, reason=reason) from error
    staging.rmdir()


def as_os_error(error: Exception) -> OSError | None:
    """What the disk refused, also where a library reports it as an exception of its own; None for
    anything else. The messages of safetensors and tokenizers end in "(os error 28)"."""
    if isinstance(error, OSError):
        return error
    found = re.search(r"os error (\d+)", str(error))
    if found is not None:
        number = int(found[1])
        return OSError(number, os.strerror(number))
    if type(error).__name__ == "SafetensorError":
        return OSError(errno.EIO, os.strerror(errno.EIO))
    return None


def _remove_empty(folders: list[Path]) -> None:
    """Remove the folders that were made, the innermost first."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return
