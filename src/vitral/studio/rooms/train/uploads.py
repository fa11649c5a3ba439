"""An upload, checked while it arrives: its kind, its size, its encoding and, of a .jsonl, its
lines. An invalid upload is refused as early as possible, and nothing of it is kept.
"""

import codecs
import contextlib
import json
import re
import secrets
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path

from vitral.errors import VitralError

ENDINGS = (".txt", ".jsonl")
LONGEST_LINE = 8 * 2**20
"""Bytes of a .jsonl's line; a longer one is no document."""


async def receive(
    chunks: AsyncIterator[bytes], name: str, folder: Path, *, limit: int, announced: int = 0
) -> Path:
    """Write an upload called `name` into `folder`, under a name of its own; its path.

    `limit` is the most bytes, `announced` how many the request says there are (0: unknown).
    Raises `upload_kind`, `upload_too_large`, `upload_not_utf8`, `upload_binary`, `upload_empty`,
    `upload_line` (of a .jsonl), and `upload_unwritten` if it cannot be written to disk.
    """
    check = Check(name, limit)
    check.announced(announced)
    partial = folder / f".{secrets.token_hex(8)}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with partial.open("xb") as file:
            async for chunk in chunks:
                check.take(chunk)
                file.write(chunk)
            check.end()
        path = _free(folder, _safe(name))
        partial.rename(path)
    except OSError as error:
        raise VitralError("upload_unwritten", reason=error.strerror or str(error)) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return path


class Check:
    """The received part of one upload, checked as it grows. Raises what `receive` raises."""

    def __init__(self, name: str, limit: int) -> None:
        self.name, self.limit = name, limit
        self.num_bytes = 0
        self._is_lines = name.lower().endswith(".jsonl")
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._words = False
        self._rest, self._line = "", 0
        if not name.lower().endswith(ENDINGS):
            raise VitralError("upload_kind", name=name[:200], endings=", ".join(ENDINGS))

    def announced(self, num_bytes: int) -> None:
        if num_bytes > self.limit:
            raise VitralError("upload_too_large", name=self.name[:200], limit=_mib(self.limit))

    def take(self, data: bytes) -> None:
        """The next bytes."""
        self.announced(self.num_bytes + len(data))
        if b"\0" in data:
            position = self.num_bytes + data.index(b"\0")
            raise VitralError("upload_binary", name=self.name[:200], position=position)
        self._read(self._decoded(data, final=False))
        self.num_bytes += len(data)

    def end(self) -> None:
        """Called at the end."""
        self._read(self._decoded(b"", final=True))
        if self._is_lines and self._rest.strip():
            self._check_line(self._rest)
        if not self._words:
            raise VitralError("upload_empty", name=self.name[:200])

    def _decoded(self, data: bytes, *, final: bool) -> str:
        pending = len(self._decoder.getstate()[0])
        try:
            return self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            position = self.num_bytes - pending + error.start
            raise VitralError("upload_not_utf8", name=self.name[:200], position=position) from None

    def _read(self, text: str) -> None:
        self._words = self._words or bool(text.removeprefix("\ufeff").strip())
        if not self._is_lines:
            return
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._check_line(line)
        if len(self._rest) > LONGEST_LINE:
            self._refuse_line(f"> {_mib(LONGEST_LINE)} MiB")

    def _check_line(self, line: str) -> None:
        self._line += 1
        line = line.removeprefix("\ufeff").strip()
        if not line:
            return
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            self._refuse_line(str(error)[:200])
        if not isinstance(entry, dict):
            self._refuse_line("{…}?")
        elif not any(isinstance(value, str) for value in entry.values()):
            self._refuse_line('"text"?')

    def _refuse_line(self, reason: str) -> None:
        line = max(self._line, 1)
        raise VitralError("upload_line", name=self.name[:200], line=line, reason=reason)


def _safe(name: str) -> str:
    """The last part of a name, without characters that a file system does not allow."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    stem, _, ending = last.rpartition(".")
    kept = re.sub(r"[^\w-]+", "-", stem).strip("-")[:60]
    return f"{kept or 'texto'}.{ending.lower()}"


def _free(folder: Path, name: str) -> Path:
    """A path that does not exist yet: "libro.txt", "libro-2.txt" …"""
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    return path


def _mib(num_bytes: int) -> int:
    return num_bytes // 2**20
