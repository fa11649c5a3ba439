"""The form of a recipe, made from the recipe's own JSON schema.

A field is one entry by its dotted name; those of a phase stand once, with "*" for the place of
the phase. What was filled in becomes a recipe in filled_in.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vitral.messages import LANGUAGES, catalogue, message
from vitral.models.forms import DEFAULT
from vitral.studio.rooms.train import schemas
from vitral.training.recipes.recipe import ObjectiveName, objective_of
from vitral.training.recipes.recipe_entries import Schema, all_entries, needed, takes
from vitral.training.recipes.shapes import DECODERS, ENCODERS, GROWING, OTHERS, TRANSLATORS, WATCHED

LEFT_OUT = ("name", "minutes", "phases.*.objective")
"""Entries with fields of their own in the room, or that follow from the architecture."""

OF_SEVERAL = ("phases.*.until", "phases.*.num_layers")
"""Entries of a phase that matter only where other phases come before or after it."""

TEACHER = "phases.*.teacher.model"

_OF_TEXTS = ("data.cleaning", "data.text_field", "data.windows", "batch.lengths")

Teachers = Mapping[str, ObjectiveName]
"""The models that may teach, by name, with what they have learned."""


def form(teachers: Teachers) -> list[schemas.RecipeField]:
    """Every field, in the recipe's order. One that differs between architectures stands once for
    each sort; the architecture itself comes first. Where no model can teach, none is offered."""
    merged: dict[tuple[object, ...], schemas.RecipeField] = {}
    shapes: list[str] = []
    for path, schema in all_entries():
        shape = path.partition("[")[2].partition("]")[0]
        name = path.replace(f"[{shape}]", "")
        if shape in OTHERS:
            continue  # a form that a run can only start from
        if name == "model.form":
            shapes.append(shape)
        elif name not in LEFT_OUT:
            for forms, asked in _sorts(name, shape, schema, teachers):
                field = _field(name, forms, asked)
                key = (field.path, field.kind, str(field.default), *field.choices)
                if key in merged:
                    merged[key].forms.extend(field.forms)
                else:
                    merged[key] = field
    architecture = _field("model.form", [], {"enum": shapes})
    return [architecture, *merged.values()]


def _sorts(
    name: str, shape: str, schema: Schema, teachers: Teachers
) -> Iterator[tuple[Sequence[str], Schema]]:
    """For each sort of architecture that has an entry, which they are, and what it may be: a
    teacher is one that has learned the same."""
    if name != TEACHER:
        yield [shape] if shape else _forms_of(name), schema
        return
    for forms in (DECODERS, ENCODERS):
        choices = [each for each, learned in teachers.items() if learned == objective_of(forms[0])]
        if choices:
            yield list(forms), schema | {"enum": choices}


def _forms_of(name: str) -> Sequence[str]:
    """The architectures that have an entry outside of `model`; empty for all of them."""
    if name == "watch":
        return [each for each in WATCHED if each not in OTHERS]
    if name == "phases.*.num_layers":
        return list(GROWING)
    if name.startswith("data.pairs."):
        return list(TRANSLATORS)
    if name in ("phases.*.mask_share", "phases.*.all_masked"):
        return list(ENCODERS)
    if name in _OF_TEXTS or name.startswith("phases.*.teacher."):
        return [*DECODERS, *ENCODERS]
    return []


def _field(name: str, forms: Sequence[str], schema: Schema) -> schemas.RecipeField:
    path = name.replace("*", "0")
    entries = {"model": {"form": (forms or [DEFAULT])[0]}, "phases": [{}], "data": {"pairs": {}}}
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
    part = needed(name)
    return schemas.RecipeField(
        path=name,
        forms=list(forms),
        kind=kind,
        choices=choices,
        optional="null" in kinds or part == name,
        default=schema.get("default"),
        needs=None if part == name else part,
        of_several=name in OF_SEVERAL,
        words=schemas.Words(**{code: _words(name, code) for code in LANGUAGES}),
        takes=schemas.Words(**{code: takes(path, entries, code) for code in LANGUAGES}),
    )


def _choices(schema: Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", []))


def _words(name: str, language: str) -> str:
    """What an entry is called on the page; one of a form added from outside, as it is."""
    key = f"recipe.entry.{name}"
    known = key in catalogue(language)
    return message(key, language) if known else name.removeprefix("model.")
