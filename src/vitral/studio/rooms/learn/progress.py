"""What the reader has done: one JSON object a line, added at the end of a file of the user's."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from vitral.errors import VitralError
from vitral.studio.rooms.learn.schemas import DonePart

MOST_BYTES = 16 * 2**20
"""What is older than the file's last so many bytes is not read."""


Kind = Literal["predict", "exercise"]


class Progress:
    """The file is read when asked, so that several Studios may share it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()

    def note(self, lesson: str, part: str, kind: Kind, passed: bool) -> None:
        """Add a line: an answer to a question or an exercise.

        Raises VitralError("progress_unwritable").
        """
        done = DonePart(lesson=lesson, part=part, kind=kind, passed=passed, time=round(time.time()))
        try:
            with self._lock:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                with self.file.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(done.model_dump(), ensure_ascii=False) + "\n")
        except OSError as error:
            reason = error.strerror or str(error)
            raise VitralError("progress_unwritable", file=str(self.file), reason=reason) from error

    def done(self) -> set[tuple[str, str]]:
        """Lesson and part of the questions answered and the exercises passed."""
        return {
            (each.lesson, each.part)
            for each in self._lines()
            if each.passed or each.kind == "predict"
        }

    def forget(self) -> None:
        """Begin anew."""
        try:
            self.file.unlink(missing_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise VitralError("progress_unwritable", file=str(self.file), reason=reason) from error

    def _lines(self) -> Iterator[DonePart]:
        """What can be read; a line that was cut off, or is of another program, is left out."""
        try:
            with self.file.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - MOST_BYTES))
                data = file.read()
        except OSError:
            return
        for line in data.splitlines():
            try:
                yield DonePart.model_validate_json(line)
            except ValueError:
                continue
