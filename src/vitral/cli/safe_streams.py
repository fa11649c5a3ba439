"""What a terminal is sent: no text that comes from a model, or from a file, drives it.

A generated text, a sample of a training, a name in a model's folder can hold escape characters:
they would move the cursor, paint over lines, rename the window. `visible` shows them as signs. And
whatever is printed goes through a `SafeStream`, which lets through only the sequences that Rich
writes for colours, links and progress.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from vitral.text.control_signs import visible

_COLOR = r"\x1b\[[0-9;]*m|\x1b\]8;[\x20-\x7e]*\x1b\\"
_PROGRESS = r"\x1b\[(?:\?25[hl]|[0-9;]*[ABCDGHJK])"


class SafeStream:
    """A text stream in front of another."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        kept = f"{_COLOR}|{_PROGRESS}" if stream.isatty() else _COLOR
        last = "\\x9f" if stream.isatty() else "\\x7f"  # a file may be of another kind than text
        self._unsafe = re.compile(f"({kept})|[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-{last}]")

    def write(self, text: str) -> int:
        self._stream.write(self._unsafe.sub(lambda found: found[1] or visible(found[0]), text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def safe_streams() -> Iterator[None]:
    """Inside, standard output and standard error are safe."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = SafeStream(before[0]), SafeStream(before[1])
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
