"""An upload, checked while it arrives: its kind, its size, its encoding and, of a .jsonl, its
lines. What is wrong is refused as soon as it is seen, and nothing of it is kept.

What is kept is UTF-8: a text in Windows-1252, as old editors save it, and the text of a .docx are
written anew in it once they have arrived.
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
from vitral.studio.rooms.train.word_documents import text_of
from vitral.training.runs.run_lock import lock_alone

ENDINGS = (".txt", ".jsonl", ".docx")
WINDOWS = "cp1252"
LONGEST_LINE = 8 * 2**20
"""Bytes of a .jsonl's line; a longer one is no document."""


async def receive(
    chunks: AsyncIterator[bytes], name: str, folder: Path, *, limit: int, announced: int = 0
) -> Path:
    """Write an upload called `name` into `folder`, under a name of its own; its path.

    `limit` is the most bytes, `announced` how many the request says there are (0: unknown).
    Raises `upload_kind`, `upload_too_large`, `upload_not_utf8`, `upload_binary`, `upload_empty`,
    `upload_line` (of a .jsonl), `upload_damaged` (of a .docx), and
    `upload_unwritten` if it cannot be written to disk.
    """
    check = Check(name, limit)
    check.announced(announced)
    partial = folder / f".{secrets.token_hex(8)}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with partial.open("xb") as file:
            lock_alone(file)  # as long as it arrives: see `clear_leftovers`
            async for chunk in chunks:
                check.take(chunk)
                file.write(chunk)
            check.end()
            file.flush()
            _rewrite(partial, check)
        path = _free(folder, _safe(name))
        partial.rename(path)
    except OSError as error:
        raise VitralError("upload_unwritten", reason=error.strerror or str(error)) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return path


def _rewrite(path: Path, check: "Check") -> None:
    """What arrived at `path`, in UTF-8."""
    if check.is_document:
        text = text_of(path, check.name, check.limit)
        if not text.strip():
            raise VitralError("upload_empty", name=check.name[:200])
    elif check.encoding == WINDOWS:
        text = path.read_text(encoding=WINDOWS)
    else:
        return
    path.write_text(text, encoding="utf-8")


def clear_leftovers(folder: Path) -> None:
    """Delete what uploads left that a Studio did not live to see the end of. Those that arrive now,
    at this Studio or another on the same folder, are locked, and stay."""
    for path in folder.glob(".*.part"):
        with contextlib.suppress(OSError), path.open("r+b") as file:
            if lock_alone(file):
                path.unlink()


class Check:
    """The received part of one upload, checked as it grows. Raises what `receive` raises."""

    def __init__(self, name: str, limit: int) -> None:
        self.name, self.limit = name, limit
        self.num_bytes = 0
        self.encoding = "utf-8"
        self.is_document = name.lower().endswith(".docx")
        self._is_lines = name.lower().endswith(".jsonl")
        self._only_ascii = True
        self._decoder: codecs.IncrementalDecoder = codecs.getincrementaldecoder("utf-8")()
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
        if self.is_document:
            self.num_bytes += len(data)
            self._words = True
            return
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
        pending = self._decoder.getstate()[0]
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            if self.encoding == WINDOWS or not self._may_be_windows(pending + data):
                position = self.num_bytes - len(pending) + error.start
                raise VitralError(
                    "upload_not_utf8", name=self.name[:200], position=position
                ) from None
            self.encoding = WINDOWS
            self._decoder = codecs.getincrementaldecoder(WINDOWS)()
            return self._decoded(pending + data, final=final)
        self._only_ascii = self._only_ascii and text.isascii()
        return text

    def _may_be_windows(self, data: bytes) -> bool:
        """Whether a text that is no UTF-8 may be Windows-1252: so far it was ASCII, and nothing in
        it is a sign that no text has. One that is UTF-8 up to here is damaged instead."""
        if self._is_lines or not self._only_ascii or set(data) & _UNKNOWN:
            return False
        return not _has_utf8(data)

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


_UNKNOWN = {*range(9), 11, *range(14, 32), 0x7F, 0x81, 0x8D, 0x8F, 0x90, 0x9D}
"""Bytes that are no sign of a text in Windows-1252."""


def _has_utf8(data: bytes) -> bool:
    """Whether a letter of two bytes or more stands in it, as UTF-8 writes it. In Windows-1252 that
    would be "Ã" and a sign that follows no letter."""
    return re.search(rb"[\xc3-\xc5][\x80-\xbf]|\xe2\x80[\x80-\xbf]", data) is not None


def _safe(name: str) -> str:
    """The last part of a name, without characters that a file system does not allow."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    stem, _, ending = last.rpartition(".")
    kept = re.sub(r"[^\w-]+", "-", stem).strip("-")[:60]
    return f"{kept or 'texto'}.{'jsonl' if ending.lower() == 'jsonl' else 'txt'}"


def _free(folder: Path, name: str) -> Path:
    """A path that does not exist yet: "libro.txt", "libro-2.txt" …"""
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    return path


def _mib(num_bytes: int) -> int:
    return num_bytes // 2**20
