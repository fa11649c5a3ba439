"""Reading files that may be damaged, or that another program is writing.

In a run's folder, or a model's, anything can stand under a name that is expected: a pipe that
never ends, a link to a device, a file of ten gigabytes, JSON a thousand levels deep. So what is
read has a kind (an ordinary file), a size and a depth that are known before, and what is wrong is
one VitralError that names the file.

    read_json(Path("runs/gatos/run.json"))             what it says
    read_as(Path("runs/gatos/run.json"), Asked)        the same, checked against a class
"""

import json
import os
import stat
import unicodedata
from functools import cache
from pathlib import Path
from typing import IO, Any, TypeVar

from vitral.errors import VitralError

T = TypeVar("T")

MOST_BYTES = 2**20
DEEPEST = 48
"""Levels of lists and objects within one another."""
LARGEST_NUMBER = 2**63


def open_checked(path: Path) -> IO[bytes]:
    """An ordinary file, open for reading; nothing is waited for.

    Raises `file_kind` for a pipe, a device or a folder, `file_unreadable` where the system
    refuses, and FileNotFoundError where there is none.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise VitralError("file_kind", path=path)
    return os.fdopen(handle, "rb")


def read_checked(path: Path, most: int = MOST_BYTES) -> bytes:
    """All of a file of at most so many bytes. Raises what `open_checked` does, and
    `file_too_large`."""
    with open_checked(path) as file:
        try:
            data = file.read(most + 1)
        except OSError as error:
            raise _unreadable(path, error) from error
    if len(data) > most:
        raise VitralError("file_too_large", path=path, limit=most)
    return data


def read_json(path: Path, most: int = MOST_BYTES, *, strict: bool = True) -> Any:
    """What a file of JSON says. Raises what `read_checked` does, and `file_damaged`.

    Not `strict`, numbers may be infinite or of any length, as model configurations have them.
    """
    try:
        return parse_json(read_checked(path, most), strict=strict)
    except ValueError as error:
        raise VitralError("file_damaged", path=path, reason=str(error)[:200]) from error


def read_as(path: Path, kind: type[T], most: int = MOST_BYTES) -> T:
    """The same as an instance of a class (a dataclass, a Pydantic model), its types checked."""
    found = read_json(path, most)
    try:
        return checked(found, kind)
    except ValueError as error:
        raise VitralError("file_damaged", path=path, reason=str(error)[:200]) from error


def checked(value: Any, kind: type[T]) -> T:
    """`value` as an instance of `kind`. Raises ValueError, with the first thing that is wrong."""
    from pydantic import ValidationError

    try:
        found: T = _adapter(kind).validate_python(value)  # type: ignore[arg-type]
        return found
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None


@cache
def _adapter(kind: type[Any]) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def parse_json(data: bytes | str, *, strict: bool = True) -> Any:
    """JSON that is not too deep, whose texts are Unicode and, if `strict`, whose numbers are
    finite and no larger than a file's. Raises ValueError for any other."""
    try:
        value = json.loads(data)
    except RecursionError:
        raise ValueError(f"more than {DEEPEST} levels") from None
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise ValueError(f"more than {DEEPEST} levels")
        depth += 1
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                below.extend(each)
                below.extend(each.values())
            elif isinstance(each, list):
                below.extend(each)
            elif isinstance(each, str):
                each.encode()  # UnicodeEncodeError is a ValueError: half of a surrogate pair
            elif strict and isinstance(each, int | float) and not abs(each) < LARGEST_NUMBER:
                raise ValueError(f"a number out of range: {str(each)[:40]}")
        level = below
    return value


def is_plain(name: str) -> bool:
    """Whether a name can be shown and sent: Unicode, without control characters."""
    return name.isprintable() or all(_shown(sign) for sign in name)


def _shown(sign: str) -> bool:
    return unicodedata.category(sign) not in ("Cc", "Cs", "Zl", "Zp")


def _unreadable(path: Path, error: OSError) -> VitralError:
    return VitralError("file_unreadable", path=path, reason=error.strerror or str(error))
