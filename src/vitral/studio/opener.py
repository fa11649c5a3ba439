"""A file that a browser is handed in place of an address with a key in it.

What a program was started with is read by every user of the machine. So the browser is given the
name of a file, in a folder that only this user can enter, and the file leads on.
"""

import atexit
import contextlib
import html
import shutil
import tempfile
from pathlib import Path

from vitral.studio.disk import taken_by_disk


def write_opener(address: str) -> Path:
    """The file, deleted when this process ends. Raises `disk_refuses`."""
    shown = html.escape(address)
    with taken_by_disk(tempfile.gettempdir()):
        folder = Path(tempfile.mkdtemp(prefix="vitral-"))  # mode 0700
        atexit.register(forget, folder)
        path = folder / "studio.html"
        path.touch(mode=0o600)
        path.write_text(
            '<!doctype html><meta charset="utf-8"><title>Vitral</title>'
            '<meta name="referrer" content="no-referrer">'
            f'<meta http-equiv="refresh" content="0; url={shown}"><a href="{shown}">Vitral</a>',
            encoding="utf-8",
        )
    return path


def forget(folder: Path) -> None:
    """Delete it."""
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)
