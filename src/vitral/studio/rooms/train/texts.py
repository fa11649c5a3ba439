"""The texts that a training may read: those offered, those named when Studio started, and those
that were uploaded. A request can name no other file.

Offered texts are made by rules of our own when they are first wanted, so none comes with the
package.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vitral.checked_files import is_plain
from vitral.data.spanish_numbers import number_in_digits, number_in_words
from vitral.data.spanish_sentences import sentences
from vitral.errors import VitralError
from vitral.studio.disk import taken_by_disk

Kind = Literal["offered", "given", "uploaded"]

NUM_SENTENCES, NUM_NUMBERS = 12_000, 12_000

WATCHED = {
    "offered.sentences": "La niña que miraba a los perros estaba cansada.",
    "offered.numbers": "21.035 es veintiún mil treinta y cinco.",
}
"""A sentence worth watching while a model learns from that text."""

OTHERWISE_WATCHED = "El perro que persiguió al gato cruzó la calle."


@dataclass(frozen=True)
class Text:
    """One text, by the `id` that requests name it with."""

    id: str
    kind: Kind
    name: str
    path: Path
    num_bytes: int | None
    """None where it is a folder, or not made yet."""

    @property
    def watched(self) -> str:
        return WATCHED.get(self.id, OTHERWISE_WATCHED)


class Texts:
    """Offered and uploaded texts lie in `folder`; `given` are files and folders of the user's.

    Raises `source_missing` for a given one that is not there."""

    def __init__(self, folder: Path, given: Sequence[str | Path] = ()) -> None:
        self.uploads = folder / "uploads"
        self._offered = folder / "offered"
        self._given = [Path(path).expanduser() for path in given]
        for path in self._given:
            if not is_plain(path.name):
                shown = path.name.encode(errors="replace").decode()
                raise VitralError("path_not_utf8", path=shown)
            if not path.exists():
                raise VitralError("source_missing", source=path)

    def all(self) -> list[Text]:
        """Every text there is, offered ones first; none whose name cannot be shown."""
        found = [
            Text(f"offered.{name}", "offered", name, self._offered / f"{name}.txt", None)
            for name in _LINES
        ]
        found += [
            Text(f"given.{number}", "given", path.name, path, _size(path))
            for number, path in enumerate(self._given)
        ]
        try:
            uploaded = sorted(self.uploads.iterdir())
        except OSError:
            uploaded = []
        return found + [
            Text(f"uploaded.{path.name}", "uploaded", path.name, path, _size(path))
            for path in uploaded
            if not path.name.startswith(".") and is_plain(path.name) and _is_file(path)
        ]

    def find(self, id: str) -> Text:
        """The text of that id, which must be one of all. Raises `text_unknown`."""
        for text in self.all():
            if text.id == id:
                return text
        raise VitralError("text_unknown", name=id[:200])

    def ready(self, id: str) -> Text:
        """The same, made now where it is an offered one. Raises `text_unknown`."""
        text = self.find(id)
        if text.kind == "offered" and not text.path.is_file():
            new = text.path.with_suffix(".new")
            with taken_by_disk(text.path.parent):
                text.path.parent.mkdir(parents=True, exist_ok=True)
                new.write_text("\n\n".join(_LINES[text.name]()) + "\n", encoding="utf-8")
                new.replace(text.path)
        return text

    def delete(self, id: str) -> None:
        """Delete an uploaded text. Raises `text_unknown`, `text_not_uploaded`, `not_deleted`."""
        text = self.find(id)
        if text.kind != "uploaded":
            raise VitralError("text_not_uploaded", name=text.name)
        try:
            text.path.unlink(missing_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise VitralError("not_deleted", path=text.name, reason=reason) from error


def _numbers() -> Iterator[str]:
    """Numbers of one to five digits, each length as often as another, with how Spanish says
    them."""
    draw = random.Random(0)
    for _ in range(NUM_NUMBERS):
        digits = draw.randint(1, 5)
        number = draw.randrange(10 ** (digits - 1) if digits > 1 else 0, 10**digits)
        yield f"{number_in_digits(number)} es {number_in_words(number)}."


_LINES = {"sentences": lambda: sentences(NUM_SENTENCES), "numbers": _numbers}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None
