"""The text that a command works on: given on the command line, in a file, or on standard input."""

import sys
from pathlib import Path

from vitral.errors import VitralError

_BYTE_ORDER_MARK = "\ufeff"


def source_text(text: str | None, file: str | None) -> str:
    """TEXT unchanged, or the content of `file` ("-": standard input) as UTF-8.

    A file's byte order mark and the line break at its end are not part of the text.
    Raises VitralError: text_missing, text_twice, text_empty, text_not_utf8, file_unreadable,
    file_not_utf8.
    """
    if text is not None and file is not None:
        raise VitralError("text_twice")
    if file is not None:
        text = _read(file)
    elif text is None:
        raise VitralError("text_missing")
    else:
        _check_argument(text)
    if not text.strip():
        raise VitralError("text_empty")
    return text


def _read(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise VitralError("file_unreadable", path=file, reason=error.strerror) from error
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise VitralError("file_not_utf8", path=file, position=error.start) from error
    return text.removeprefix(_BYTE_ORDER_MARK).removesuffix("\n").removesuffix("\r")


def _check_argument(text: str) -> None:
    """Bytes of the command line that are not UTF-8 reach Python as lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise VitralError("text_not_utf8", position=error.start) from error
