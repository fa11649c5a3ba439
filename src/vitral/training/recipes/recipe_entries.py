"""What a recipe's entries are called and what each of them takes, read from its definition.

The schema is the one that Pydantic makes of `Recipe`. `path` is an entry's dotted name; in a
list, a number stands for the place: `phases.0.until`.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from vitral.messages import message
from vitral.training.recipes.recipe import Recipe

Schema = dict[str, Any]


def known_names(path: str, entries: Any) -> list[str]:
    """The names that may stand in the part `path` of a recipe with those `entries`, which say
    the model's form."""
    return [name for schema in _at(path, entries) for name in schema.get("properties", {})]


def takes(path: str, entries: Any, language: str | None = None) -> str:
    """What the entry `path` takes, in words: "a whole number ≥ 1"."""
    schemas = _at(path, entries)
    named = [str(schema["const"]) for schema in schemas if "const" in schema]
    others = [_words(schema, language) for schema in schemas if "const" not in schema]
    if named:
        others.append(_words({"enum": named}, language))
    return message("recipe.takes.or", language).join(dict.fromkeys(others))


def needed(name: str) -> str | None:
    """A recipe may do without some of its parts. The entry that stands in such a part whenever
    the part does: "phases.*.teacher.model" for "phases.*.teacher.share". None for entries
    elsewhere."""
    above = name.rpartition(".")[0]
    schemas = _at(above.replace("*", "0"), {})
    if {"type": "null"} not in schemas:
        return None
    return f"{above}.{next(each for schema in schemas for each in schema.get('required', []))}"


def all_entries() -> Iterator[tuple[str, Schema]]:
    """Every entry that a recipe can have, with its schema; lists have "*" for the place."""
    root = _schema()
    yield from _below(root, "", root)


@cache
def _schema() -> Schema:
    return Recipe.model_json_schema()


def _below(schema: Schema, path: str, root: Schema) -> Iterator[tuple[str, Schema]]:
    for name, inner in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        parts = [part for each in _choices(inner, root) for part in _with_items(each, root)]
        inside = [(prefix, part) for prefix, part in parts if "properties" in part]
        if not inside:
            yield here, inner
        for prefix, part in inside:
            form = part["properties"].get("form", {}).get("const")
            yield from _below(part, f"{here}[{form}]" if form else here + prefix, root)


def _with_items(schema: Schema, root: Schema) -> Iterator[tuple[str, Schema]]:
    yield "", schema
    for item in _choices(schema.get("items", {}), root):
        yield ".*", item


def _at(path: str, entries: Any) -> list[Schema]:
    """The schemas that stand at `path`: several where it can be one thing or another."""
    root = _schema()
    found, value = [root], entries
    for part in path.split(".") if path else []:
        inner = []
        for schema in found:
            if part in schema.get("properties", {}):
                inner += _choices(schema["properties"][part], root)
            elif part.isdigit() and schema.get("type") == "array":
                items = schema.get("prefixItems", [schema.get("items", {})])
                inner += _choices(items[min(int(part), len(items) - 1)], root)
        value = _value_in(value, part)
        form = value.get("form") if isinstance(value, dict) else None
        of_form = [s for s in inner if s.get("properties", {}).get("form", {}).get("const") == form]
        found = of_form or inner
    return found


def _choices(schema: Schema, root: Schema) -> list[Schema]:
    """A schema with its references followed; of one that leaves a choice, each."""
    if "$ref" in schema:
        target: Schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
        return _choices(target, root)
    options = schema.get("anyOf", schema.get("oneOf"))
    if options is None:
        return [schema]
    return [choice for option in options for choice in _choices(option, root)]


def _value_in(entries: Any, part: str) -> Any:
    if isinstance(entries, dict):
        return entries.get(part)
    if isinstance(entries, list) and part.isdigit() and int(part) < len(entries):
        return entries[int(part)]
    return None


def _words(schema: Schema, language: str | None) -> str:
    if "enum" in schema:
        known = ", ".join(map(str, schema["enum"]))
        return message("recipe.takes.one_of", language, known=known)
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("prefixItems", [schema.get("items", {})])
        inner = _words(items[0], language)
        return message("recipe.takes.array", language, items=inner)
    if kind in ("integer", "number"):
        words = message(f"recipe.takes.{kind}", language)
        bounds = message("recipe.takes.and", language).join(_bounds(schema))
        return f"{words} {bounds}".strip()
    if kind in ("boolean", "string", "null"):
        return message(f"recipe.takes.{kind}", language)
    return message("recipe.takes.object", language)


def _bounds(schema: Schema) -> list[str]:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    found = [f"{sign} {schema[name]}" for name, sign in signs.items() if name in schema]
    if schema["type"] == "integer":
        found = ["≥ 1" if bound == "> 0" else bound for bound in found]
    return found
