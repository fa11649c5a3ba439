"""Reading a file of JSON lines while another process writes it.

A line that is not of the `kind` asked for is left out: the last one may be half written.
`check_lines` says what is wrong with one.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from vitral.checked_files import checked, open_checked, parse_json
from vitral.errors import VitralError

MOST_AT_ONCE = 16 * 2**20
"""Bytes that are read in one go; the rest comes with the next."""

END = 65_536
"""Bytes at the end of a file in which its last line stands."""


@dataclass(frozen=True)
class Position:
    """How far a file was read: which file it was, and how many bytes of it. A run that resumes
    from a checkpoint truncates its curve by replacing the file."""

    file: int = 0
    offset: int = 0


def lines_after(
    path: Path, position: Position, kind: type[BaseModel]
) -> tuple[list[dict[str, Any]], Position, bool]:
    """The whole lines after `position`, the position after them, and whether the file is another
    one than before, so that the lines are all there are."""
    try:
        with open_checked(path) as file:
            number = os.fstat(file.fileno()).st_ino
            again = number != position.file or file.seek(0, 2) < position.offset
            offset = 0 if again else position.offset
            file.seek(offset)
            data = file.read(MOST_AT_ONCE)
    except (OSError, VitralError):
        return [], Position(), position.offset > 0
    end = data.rfind(b"\n") + 1
    found = [line for line in _parsed(data[:end], kind) if isinstance(line, dict)]
    if not end and len(data) == MOST_AT_ONCE:
        end = len(data)  # no line of ours
    return found, Position(number, offset + end), again and position.offset > 0


def last_line(path: Path, kind: type[BaseModel]) -> dict[str, Any] | None:
    """The last whole line of a file, None where there is none."""
    try:
        found = [line for line in _parsed(_end_of(path), kind) if isinstance(line, dict)]
    except (OSError, VitralError):
        return None
    return found[-1] if found else None


def check_lines(path: Path, kind: type[BaseModel]) -> None:
    """Raises `file_damaged` where the end of the file has a whole line that is none of ours, and
    what `open_checked` raises."""
    data = _end_of(path)
    first = data.find(b"\n") + 1 if len(data) == END else 0
    for line in _parsed(data[first:], kind):
        if isinstance(line, ValueError):
            raise VitralError("file_damaged", path=path, reason=str(line)[:200])


def _end_of(path: Path) -> bytes:
    with open_checked(path) as file:
        file.seek(max(0, file.seek(0, 2) - END))
        return file.read(END)


def _parsed(data: bytes, kind: type[BaseModel]) -> Iterator[dict[str, Any] | ValueError]:
    """Each whole line, or what is wrong with it."""
    for line in data[: data.rfind(b"\n") + 1].split(b"\n"):
        if line.strip():
            try:
                yield checked(parse_json(line), kind).model_dump(exclude_unset=True)
            except ValueError as error:
                yield error
