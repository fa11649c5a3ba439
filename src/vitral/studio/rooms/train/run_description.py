"""The description of one run for the page, from the run's folder and Studio's notes."""

from pathlib import Path
from typing import TYPE_CHECKING

from vitral.errors import VitralError
from vitral.messages import LANGUAGES
from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.studio.rooms.train import schemas
from vitral.studio.rooms.train.curve_lines import Evaluation
from vitral.studio.rooms.train.run_damage import recipe_in
from vitral.studio.rooms.train.run_scheduler import RunScheduler
from vitral.studio.rooms.train.runs import Runs
from vitral.studio.rooms.train.tail import last_line
from vitral.training.runs.curve import EVALUATIONS
from vitral.training.runs.run_folder import read_asked

if TYPE_CHECKING:
    from vitral.training.recipes.recipe import Recipe


def describe(runs: Runs, scheduler: RunScheduler, catalog: ModelCatalog, id: str) -> schemas.Run:
    """The run of that id, one that is damaged with what can be read of it. Raises
    `run_unknown`."""
    path = runs.path(id)
    note, recipe = runs.notes.read(id), _recipe(path)
    queue = scheduler.queue()
    shape = recipe.model if recipe is not None else None
    damage = runs.damage(id)
    return schemas.Run(
        id=id,
        name=note.name if note is not None else recipe.name if recipe is not None else id,
        state=runs.state(id),
        created=note.created if note is not None else _changed(path),
        source=Path(note.source).name if note is not None and note.source else _sources(path),
        place=queue.index(id) + 1 if id in queue else None,
        error=scheduler.failures.get(id) or (note.error if note is not None else None),
        damage=None
        if damage is None
        else schemas.Words(**{code: _shortened(damage.text(code)) for code in LANGUAGES}),
        step=runs.step(id),
        steps=recipe.steps if recipe is not None else None,
        minutes=recipe.minutes if recipe is not None else note.minutes if note else None,
        done_minutes=float((last_line(path / EVALUATIONS, Evaluation) or {}).get("minutes", 0.0)),
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
    try:
        return recipe_in(path)
    except VitralError:
        return None


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _shortened(text: str) -> str:
    return text if len(text) <= 600 else f"{text[:600]} …"


def _sources(path: Path) -> str:
    try:
        asked = read_asked(path)
    except (OSError, VitralError):
        return ""
    return "" if asked is None else ", ".join(Path(source).name for source in asked.sources)


def _rate(recipe: "Recipe | None") -> float | None:
    """The full learning rate."""
    if recipe is None:
        return None
    from vitral.training.optimization.optimizers import RATES

    choice = recipe.optimizer
    return choice.rate if choice.rate is not None else RATES[choice.kind]
