"""Folders that are wholly on disk or not there at all.

A program can be killed, and a machine lose its power, between any two writes. So a folder is
written under another name, its files and their checksums (SHA-256, `checksums.json`) are forced
to disk, and only then is it given its name, which a file system does wholly or not at all.
A reader of such a folder compares the checksums first: a disk can lose bytes too.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from vitral.models.whole_folder import as_os_error

CHECKSUMS = "checksums.json"


def write_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write the files of `folder` into an empty one next to it, which then replaces
    it. Raises OSError if they cannot be written; an older `folder` is then unchanged.
    """
    new, old = folder.with_name(f"{folder.name}.new"), folder.with_name(f"{folder.name}.old")
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        fill(new)
        _seal(new)
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.replace(old)
        new.replace(folder)
        to_disk(folder.parent)
    except Exception as error:
        shutil.rmtree(new, ignore_errors=True)
        refused = as_os_error(error)
        if refused is None or refused is error:
            raise
        raise refused from error
    shutil.rmtree(old, ignore_errors=True)


def damage(folder: Path) -> str | None:
    """The first file of a written folder that has changed since, None if none has."""
    try:
        expected = json.loads((folder / CHECKSUMS).read_bytes())
        for name, checksum in expected.items():
            if _checksum(folder / name) != checksum:
                return str(name)
    except (OSError, ValueError, AttributeError):
        return CHECKSUMS
    return None


def write_file(path: Path, text: str) -> None:
    """The same for one file."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    to_disk(new)
    new.replace(path)
    to_disk(path.parent)


def to_disk(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, are on the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows has no handle on a folder
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _seal(folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    checksums = {path.relative_to(folder).as_posix(): _checksum(path) for path in files}
    (folder / CHECKSUMS).write_text(json.dumps(checksums, indent=1) + "\n", encoding="utf-8")
    for path in (*files, folder / CHECKSUMS, folder):
        to_disk(path)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
