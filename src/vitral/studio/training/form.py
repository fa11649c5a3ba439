"""The form of a recipe, made from the recipe's own JSON schema, and what is wrong with one that
was filled in.

A field is one entry by its dotted name. Runs of one phase are asked about; those of several, and
teachers, are written as YAML.
"""

from collections.abc import Mapping
from typing import Any

from vitral.errors import VitralError
from vitral.messages import LANGUAGES, message
from vitral.studio.training import schemas
from vitral.training.mistakes import Mistake, RecipeError
from vitral.training.recipe import WATCHED, Recipe, objective_of
from vitral.training.recipe_entries import all_entries, takes
from vitral.training.recipe_file import recipe_of
from vitral.training.shapes import DECODERS, ENCODERS, TRANSLATORS

LEFT_OUT = ("phases.*.until", "phases.*.num_layers", "phases.*.objective", "phases.*.teacher.")
"""What only several phases need, or follows from the architecture; and teachers, since a request
opens no model that is not on the shelf."""

OWN = ("name", "minutes")
"""What the room asks for by itself."""

_OF_TEXTS = ("data.cleaning", "data.text_field", "data.windows", "batch.lengths")


def form() -> list[schemas.Field]:
    """Every field, in the recipe's order. One that differs between architectures stands once for
    each sort; the architecture itself comes first."""
    merged: dict[tuple[object, ...], schemas.Field] = {}
    shapes: list[str] = []
    for path, schema in all_entries():
        shape = path.partition("[")[2].partition("]")[0]
        name = path.replace(f"[{shape}]", "")
        if name == "model.form":
            shapes.append(shape)
        elif name not in OWN and not name.startswith(LEFT_OUT):
            field = _field(name, [shape] if shape else _forms_of(name), schema)
            key = (field.path, field.kind, str(field.default), *field.choices)
            if key in merged:
                merged[key].forms.extend(field.forms)
            else:
                merged[key] = field
    architecture = _field("model.form", [], {"enum": shapes})
    return [architecture, *merged.values()]


def _forms_of(name: str) -> list[str]:
    """The architectures that have an entry outside of `model`; empty for all of them."""
    if name == "watch":
        return list(WATCHED)
    if name.startswith("data.pairs."):
        return list(TRANSLATORS)
    if name.startswith("phases.*.mask") or name == "phases.*.all_masked":
        return list(ENCODERS)
    return [*DECODERS, *ENCODERS] if name in _OF_TEXTS else []


def _field(name: str, forms: list[str], schema: Mapping[str, Any]) -> schemas.Field:
    path = name.replace("*", "0")
    entries = {"model": {"form": (forms or ["llama"])[0]}, "phases": [{}], "data": {"pairs": {}}}
    options = schema.get("anyOf", [schema])
    kinds = {option.get("type") for option in options}
    choices = [str(choice) for option in options for choice in _choices(option)]
    kind: Any = "text"
    if "array" in kinds:
        kind = "list"
    elif choices:
        kind = "choice"
    elif kinds & {"integer", "number"}:
        kind = "integer" if "integer" in kinds else "number"
    elif "boolean" in kinds:
        kind = "boolean"
    return schemas.Field(
        path=path,
        forms=forms,
        kind=kind,
        choices=choices,
        optional="null" in kinds,
        default=schema.get("default"),
        words={code: message(f"recipe.entry.{name}", code) for code in LANGUAGES},
        takes={code: takes(path, entries, code) for code in LANGUAGES},
    )


def _choices(schema: Mapping[str, Any]) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", []))


def filled_in(settings: Mapping[str, Any]) -> Recipe:
    """The recipe of a form. Raises `form_invalid` with every mistake, in both languages, by the
    field that it is about."""
    known = {field.path for field in form()} | set(OWN)
    found = [Mistake(path[:100], "not_here") for path in settings if path not in known]
    try:
        recipe = recipe_of(nested({p: v for p, v in settings.items() if p in known}))
    except RecipeError as error:
        found.extend(error.mistakes)
    if found:
        mistakes = [
            {"path": mistake.path, **{code: mistake.reason(code) for code in LANGUAGES}}
            for mistake in found
        ]
        raise VitralError("form_invalid", count=len(mistakes), mistakes=mistakes)
    return recipe


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """{"model.form": "bert", "phases.0.mask_share": 0.2} as entries within entries; the one
    phase learns what the architecture is made for."""
    entries: dict[str, Any] = {}
    for path, value in settings.items():
        *above, last = path.split(".")
        part = entries
        for word in above:
            inner = part.get(word)
            part[word] = part = inner if isinstance(inner, dict) else {}
        part[last] = value
    phases = entries.get("phases")
    if isinstance(phases, dict):
        form = entries.get("model", {}).get("form")
        only = {"objective": objective_of(str(form)), **phases.get("0", {})}
        entries["phases"] = [only]
    return entries


def flat(recipe: Recipe) -> dict[str, Any]:
    """The other way round: a recipe's entries by their dotted names, those that the form has."""
    known = {field.path for field in form()}
    leaves = dict(_leaves(recipe.model_dump(mode="json"), ""))
    return {path: value for path, value in leaves.items() if path in known}


def _leaves(value: Any, path: str) -> Any:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{number}")
    else:
        yield path, value
