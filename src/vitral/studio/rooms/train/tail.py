"""Reading a file of JSON lines while another process writes it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Position:
    """How far a file was read: which file it was, and how many bytes of it. A run that resumes
    from a checkpoint truncates its curve by replacing the file."""

    file: int = 0
    offset: int = 0


def lines_after(path: Path, position: Position) -> tuple[list[dict[str, Any]], Position, bool]:
    """The whole lines after `position`, the position after them, and whether the file is another
    one than before, so that the lines are all there are."""
    try:
        with path.open("rb") as file:
            number = path.stat().st_ino
            file.seek(0, 2)
            again = number != position.file or file.tell() < position.offset
            offset = 0 if again else position.offset
            file.seek(offset)
            data = file.read()
    except OSError:
        return [], Position(), position.offset > 0
    end = data.rfind(b"\n") + 1
    found = list(_parsed(data[:end]))
    return found, Position(number, offset + end), again and position.offset > 0


def last_line(path: Path, longest: int = 65_536) -> dict[str, Any] | None:
    """The last whole line of a file, None where there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - longest))
            data = file.read()
    except OSError:
        return None
    found = list(_parsed(data[: data.rfind(b"\n") + 1]))
    return found[-1] if found else None


def _parsed(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.split(b"\n"):
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # empty, or the end of a line that began before what was read
        if isinstance(entry, dict):
            yield entry
