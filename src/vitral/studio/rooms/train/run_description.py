"""The description of one run for the page, from the run's folder and Studio's notes."""

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from vitral.errors import VitralError
from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.studio.rooms.train import schemas
from vitral.studio.rooms.train.run_scheduler import RunScheduler
from vitral.studio.rooms.train.runs import Runs
from vitral.studio.rooms.train.tail import last_line
from vitral.training.runs.curve import EVALUATIONS

if TYPE_CHECKING:
    from vitral.training.recipes.recipe import Recipe


def describe(runs: Runs, scheduler: RunScheduler, catalog: ModelCatalog, id: str) -> schemas.Run:
    """The run of that id. Raises `run_unknown`."""
    path = runs.path(id)
    note, recipe = runs.notes.read(id), _recipe(path)
    queue = scheduler.queue()
    shape = recipe.model if recipe is not None else None
    return schemas.Run(
        id=id,
        name=note.name if note is not None else recipe.name if recipe is not None else id,
        state=runs.state(id),
        created=note.created if note is not None else path.stat().st_mtime,
        source=Path(note.source).name if note is not None and note.source else _sources(path),
        place=queue.index(id) + 1 if id in queue else None,
        error=note.error if note is not None else None,
        step=runs.step(id),
        steps=recipe.steps if recipe is not None else None,
        minutes=recipe.minutes if recipe is not None else note.minutes if note else None,
        done_minutes=float((last_line(path / EVALUATIONS) or {}).get("minutes", 0.0)),
        form=shape.form if shape is not None else None,
        num_layers=shape.num_layers if shape is not None else None,
        num_heads=getattr(shape, "num_heads", None),
        hidden_size=shape.hidden_size if shape is not None else None,
        objective=recipe.phases[-1].objective if recipe is not None else None,
        rate=_rate(recipe),
        watch=recipe.watch if recipe is not None else note.watch if note else None,
        model=id if runs.model(id) is not None and id in catalog.names else None,
    )


def _recipe(path: Path) -> "Recipe | None":
    """The recipe that a run follows; None before it has one, or where it cannot be read."""
    file = path / "recipe.yaml"
    try:
        return _read(file, file.stat().st_mtime_ns)
    except (OSError, VitralError):
        return None


@lru_cache(maxsize=256)
def _read(file: Path, changed: int) -> "Recipe":
    from vitral.training.recipes.recipe_file import read_recipe

    return read_recipe(file)


def _sources(path: Path) -> str:
    try:
        sources = json.loads((path / "run.json").read_text(encoding="utf-8"))["sources"]
        return ", ".join(Path(source).name for source in sources)
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _rate(recipe: "Recipe | None") -> float | None:
    """The full learning rate."""
    if recipe is None:
        return None
    from vitral.training.optimization.optimizers import RATES

    choice = recipe.optimizer
    return choice.rate if choice.rate is not None else RATES[choice.kind]
