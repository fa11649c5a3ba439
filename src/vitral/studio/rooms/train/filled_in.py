"""From a filled-in form to a recipe and back, with every mistake at its field.

The settings are entries by their dotted names, a number for the place of a phase:
{"model.form": "bert", "phases.0.until": 0.5, "phases.1.mask_share": 0.2}.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from vitral.errors import VitralError
from vitral.messages import LANGUAGES
from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.studio.rooms.train import schemas
from vitral.studio.rooms.train.form import LEFT_OUT
from vitral.studio.rooms.train.teachers import located_in, misfits, unknown
from vitral.training.recipes.mistakes import Mistake, RecipeError
from vitral.training.recipes.recipe import Recipe, objective_of, with_current_names
from vitral.training.recipes.recipe_entries import all_entries, needed
from vitral.training.recipes.recipe_file import recipe_of

OWN = ("name", "minutes")
"""The entries that the room fills in."""

_PLACE = re.compile(r"^phases\.(0|[1-9]\d?)\.")


def filled_in(settings: Mapping[str, Any], catalog: ModelCatalog) -> Recipe:
    """The recipe of a form, its teachers where `vitral train` finds them. Raises `form_invalid`
    with every mistake, in both languages, by its field."""
    settings = with_current_names(dict(settings))
    known = {path for path in settings if _is_known(path)}
    found = [Mistake(path[:100], "not_here") for path in settings if path not in known]
    found.extend(unknown(settings, catalog))
    recipe = None
    try:
        recipe = recipe_of(nested({p: v for p, v in settings.items() if p in known}))
    except RecipeError as error:
        found.extend(error.mistakes)
    if recipe is not None and not found:
        found.extend(misfits(recipe, catalog))
    if recipe is None or found:
        mistakes = [
            {"path": mistake.path, **{code: mistake.reason(code) for code in LANGUAGES}}
            for mistake in found
        ]
        raise VitralError("form_invalid", count=len(mistakes), mistakes=mistakes)
    return located_in(catalog, recipe)


def _is_known(path: str) -> bool:
    return path in OWN or ("*" not in path and _name(path) in _names())


@cache
def _names() -> frozenset[str]:
    """The names of the entries that a form can have."""
    names = {re.sub(r"\[.*?]", "", path) for path, _ in all_entries()}
    return frozenset(names.difference(LEFT_OUT))


def _name(path: str) -> str:
    """The name of an entry for all phases: "phases.*.until" for "phases.1.until"."""
    place = _PLACE.match(path)
    if place is None or int(place[1]) >= schemas.MOST_PHASES:
        return path
    return f"phases.*.{path[place.end() :]}"


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as entries within entries. Every phase learns what the architecture is made for; a
    part that lacks the entry it cannot be without is left out."""
    left_out = {
        path.rpartition(".")[0]
        for path, value in settings.items()
        if value is None and needed(_name(path)) == _name(path)
    }
    entries: dict[str, Any] = {}
    for path, value in settings.items():
        *above, last = path.split(".")
        if ".".join(above) in left_out:
            continue
        part = entries
        for word in above:
            inner = part.get(word)
            part[word] = part = inner if isinstance(inner, dict) else {}
        part[last] = value
    phases = entries.get("phases")
    if isinstance(phases, dict):
        objective = {"objective": objective_of(str(entries.get("model", {}).get("form")))}
        count = 1 + max(map(int, phases))
        entries["phases"] = [objective | phases.get(str(place), {}) for place in range(count)]
    return entries


def flat(recipe: Recipe) -> dict[str, Any]:
    """The reverse: those of a recipe's entries that the form has, by their dotted names."""
    leaves = dict(_leaves(recipe.model_dump(mode="json"), ""))
    return {path: value for path, value in leaves.items() if _name(path) in _names()}


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{number}")
    else:
        yield path, value
