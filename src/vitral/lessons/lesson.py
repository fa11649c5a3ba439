"""A lesson that was read: its manifest, its prose, its experiments and its answers."""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from vitral.errors import VitralError
from vitral.lessons import tree
from vitral.lessons.experiment import Experiment
from vitral.lessons.manifest import FigureEntry, Manifest, WriteEntry
from vitral.lessons.picture import Drawing, Value
from vitral.lessons.reading import read_prose
from vitral.messages import LANGUAGES

T = TypeVar("T")

LARGEST = 2**20
"""Most bytes of one file of a lesson."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """`ours` says that it came with Vitral, so that its Python may be run."""

    name: str
    folder: Path
    manifest: Manifest
    prose: Mapping[str, list[tree.ProseBlock]]
    ours: bool
    _imported: dict[str, ModuleType] = field(default_factory=dict, init=False)

    @cached_property
    def experiments(self) -> dict[str, Experiment[Any]]:
        """Those that its figures.py declares."""
        if not (self.folder / "figures.py").is_file() or not self.ours:
            return {}
        module = self._module("figures")
        return {each.name: each for each in vars(module).values() if isinstance(each, Experiment)}

    def figure(self, name: str) -> FigureEntry:
        """Raises VitralError("lesson_part_unknown")."""
        return _found(self.manifest.figures, name)

    def solution(self, function: str) -> Callable[..., Any]:
        """The lesson's own function of that name."""
        found: Callable[..., Any] = getattr(self._module("solution"), function)
        return found

    def mistake(self, name: str, function: str) -> Callable[..., Any]:
        """The function as the mistake of that name has it."""
        found: Callable[..., Any] = getattr(self._module(f"mistakes/{name}"), function)
        return found

    def writes(self) -> Iterator[tuple[str, WriteEntry]]:
        """The exercises that ask for a function."""
        for name, exercise in self.manifest.exercises.items():
            if isinstance(exercise, WriteEntry):
                yield name, exercise

    def _module(self, path: str) -> ModuleType:
        """A Python file of the lesson's, imported once."""
        assert self.ours, "no code of others is run"
        if path not in self._imported:
            name = f"vitral_lesson_{self.name}_{path.replace('/', '_')}"
            spec = importlib.util.spec_from_file_location(name, self.folder / f"{path}.py")
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module  # where its classes look for their types
            spec.loader.exec_module(module)
            self._imported[path] = module
        return self._imported[path]


def read_lesson(folder: Path, *, ours: bool) -> Lesson:
    """Read a lesson's folder.

    Raises VitralError: lesson_file_missing, lesson_manifest (what is wrong in lesson.yaml, and
    where), lesson_text.
    """
    try:
        content = yaml.safe_load(_text(folder / "lesson.yaml"))
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise VitralError("lesson_manifest", lesson=folder.name, entry="", reason=reason) from error
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        entry = ".".join(str(part) for part in first["loc"])
        raise VitralError(
            "lesson_manifest", lesson=folder.name, entry=entry, reason=first["msg"]
        ) from error
    prose = {
        language: read_prose(_text(folder / f"{language}.md"), f"{folder.name}/{language}.md")
        for language in LANGUAGES
    }
    return Lesson(folder.name, folder, manifest, prose, ours)


def value_of(drawing: Drawing, name: str) -> Value:
    """A value of a drawing. Raises VitralError("lesson_part_unknown")."""
    return _found(drawing.values, name)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if len(data) > LARGEST:
            raise VitralError("lesson_file_large", file=str(path), limit=LARGEST)
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise VitralError("lesson_file_missing", file=str(path)) from error


def _found(entries: Mapping[str, T], name: str) -> T:
    if name not in entries:
        raise VitralError("lesson_part_unknown", part=name)
    return entries[name]
