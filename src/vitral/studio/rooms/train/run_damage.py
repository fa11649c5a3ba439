"""What is wrong with a run's folder: the list has one line for it, whatever stands there."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from vitral.checked_files import is_plain
from vitral.errors import VitralError
from vitral.models.folder import read_config
from vitral.studio.rooms.train.curve_lines import Evaluation, StepLine
from vitral.studio.rooms.train.notes import Notes
from vitral.studio.rooms.train.tail import check_lines
from vitral.training.runs.curve import EVALUATIONS, STEPS
from vitral.training.runs.run_folder import read_asked
from vitral.training.watching.watched_files import check_watched

if TYPE_CHECKING:
    from vitral.training.recipes.recipe import Recipe


def damage_of(path: Path, notes: Notes, id: str) -> VitralError | None:
    """The first thing that is wrong with the run in the folder `path`; None where all can be
    read. What is not there yet is no damage."""
    if not is_plain(path.name):
        return VitralError("run_name_unprintable")
    for check in _checks(path, notes, id):
        try:
            check()
        except FileNotFoundError:
            continue
        except VitralError as error:
            return _from_here(error, path)
        except OSError as error:
            reason = error.strerror or str(error)
            return VitralError("file_unreadable", path=error.filename or path.name, reason=reason)
    return None


def _checks(path: Path, notes: Notes, id: str) -> Iterator[Callable[[], object]]:
    yield lambda: notes.check(id)
    yield lambda: list(path.iterdir())
    yield lambda: read_asked(path)
    yield lambda: recipe_in(path)
    yield lambda: check_lines(path / STEPS, StepLine)
    yield lambda: check_lines(path / EVALUATIONS, Evaluation)
    yield lambda: check_watched(path)
    if (path / "model" / "config.json").is_file():
        yield lambda: read_config(path / "model")


def recipe_in(path: Path) -> "Recipe | None":
    """The recipe that a run follows, None before it has one. Raises what `read_recipe` does."""
    file = path / "recipe.yaml"
    try:
        about = file.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = error.strerror or str(error)
        raise VitralError("file_unreadable", path=file, reason=reason) from error
    found = _read(file, about.st_mtime_ns, about.st_size)
    if isinstance(found, VitralError):
        raise found
    return found


@lru_cache(maxsize=256)
def _read(file: Path, changed: int, size: int) -> "Recipe | VitralError":
    """Read once for each state of the file, also where it cannot be read."""
    from vitral.training.recipes.recipe_file import read_recipe

    try:
        return read_recipe(file)
    except VitralError as error:
        return error


def _from_here(error: VitralError, path: Path) -> VitralError:
    """The same, its file named from the run's folder on."""
    found = error.values.get("path")
    if not isinstance(found, str | Path) or not Path(found).is_relative_to(path):
        return error
    error.values["path"] = Path(found).relative_to(path).as_posix()
    return error
