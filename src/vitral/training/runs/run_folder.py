"""The folder of a run: it holds one run, and one process uses it at a time.

`run.json` keeps the run's sources and options, `recipe.yaml` its recipe; so
the folder alone is enough to resume it.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from vitral.errors import VitralError
from vitral.training.recipes.recipe import Recipe
from vitral.training.recipes.recipe_changes import changes
from vitral.training.recipes.recipe_file import read_recipe, write_recipe
from vitral.training.runs.durable import write_file
from vitral.training.runs.run_lock import LOCK, hold, is_begun


@dataclass(frozen=True)
class Asked:
    """What a run was started with: its sources, the minutes if the dial chose its recipe, and the
    model it started from."""

    sources: list[str]
    minutes: float | None = None
    start: str | None = None


class RunFolder:
    """The folder `out` of a run.

    Raises `out_is_a_file` and, if it holds other files, `out_not_a_run`.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.recipe_path = out / "recipe.yaml"
        if out.exists() and not out.is_dir():
            raise VitralError("out_is_a_file", out=out)
        if out.is_dir() and not self.begun and any(_visible(out)):
            raise VitralError("out_not_a_run", out=out)

    @property
    def begun(self) -> bool:
        """Whether there is a run in it."""
        return is_begun(self.out)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Inside, no other process trains here. The system ends this with the process, however
        that ends. Raises `out_unwritable` and `run_in_use`."""
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            lock = (self.out / LOCK).open("a+")
        except OSError as error:
            raise VitralError("out_unwritable", out=self.out, reason=error.strerror) from error
        with lock:
            if not hold(lock):
                raise VitralError("run_in_use", out=self.out)
            yield

    def asked(self) -> Asked | None:
        """What the run was started with, None if this program did not start it."""
        path = self.out / "run.json"
        if not path.exists():
            return None
        try:
            return Asked(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise VitralError("run_damaged", path=path, reason=str(error)) from None

    def check_sources(self, sources: Sequence[str], *, needed: bool = True) -> list[str]:
        """The run's sources, which are `sources` if any are given. Raises `sources_missing` where
        some are `needed`, and `run_other_sources` where the run was begun with others."""
        before = self.asked()
        now = [_absolute(source) for source in sources]
        if before is None:
            if needed and not now:
                raise VitralError("sources_missing")
            return now
        if now and now != before.sources:
            raise VitralError(
                "run_other_sources",
                out=self.out,
                before=", ".join(before.sources),
                now=", ".join(now),
            )
        return before.sources

    def begin(self, asked: Asked) -> None:
        """Save what the run was started with, unless that was saved before."""
        if self.asked() == asked:
            return
        self._write(self.out / "run.json", json.dumps(asdict(asked), ensure_ascii=False) + "\n")

    def keep_recipe(self, recipe: Recipe) -> None:
        """Note the recipe. Raises `recipe_changed` where the run was begun with another."""
        if self.recipe_path.exists():
            before = read_recipe(self.recipe_path)
            if before == recipe:
                return
            changes(before.model_dump(mode="json"), recipe)
        try:
            write_recipe(recipe, self.recipe_path)
        except OSError as error:
            raise VitralError("out_unwritable", out=self.out, reason=error.strerror) from error

    def abandon(self) -> None:
        """Delete the files of a run that cannot start, and the folder created for it."""
        for path in list(_visible(self.out)) if self.out.is_dir() else []:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        (self.out / LOCK).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.out.rmdir()

    def _write(self, path: Path, text: str) -> None:
        try:
            write_file(path, text)
        except OSError as error:
            raise VitralError("out_unwritable", out=self.out, reason=error.strerror) from error


def _visible(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.name != LOCK)


def _absolute(source: str) -> str:
    return source if source.startswith("hf:") else str(Path(source).expanduser().resolve())
