"""All files of a folder, those in folders that it links to as well."""

import os
from collections.abc import Iterator
from pathlib import Path


def files_below(folder: Path) -> Iterator[Path]:
    """The files in `folder` and in the folders below it, sorted by their path. A folder that is
    reached by several ways, or from within itself, is read once; what begins with a dot, and
    links to nothing, is left out."""
    seen: set[str] = set()
    found: list[Path] = []
    for here, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = (Path(here) / name for name in files if not name.startswith("."))
        found += [path for path in paths if path.is_file()]
    yield from sorted(found)
