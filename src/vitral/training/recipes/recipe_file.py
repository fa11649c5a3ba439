"""Reading a recipe: a YAML file with additional settings; all mistakes are found at once.

    recipe = read_recipe(Path("recipes/vitral-es-gpt.yaml"))
    recipe = read_recipe(path, [Setting.read("model.num_layers=4")])

YAML is read as nodes first, since only they know their lines and whether a name stands twice.
Numbers may be written as 1e-3, dates are text, and nothing but plain values is made.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from vitral.errors import VitralError
from vitral.training.recipes.bending import bend
from vitral.training.recipes.mistakes import ContradictionError, Mistake, RecipeError
from vitral.training.recipes.recipe import RENAMED, Recipe, with_current_names
from vitral.training.recipes.recipe_entries import known_names, takes
from vitral.training.runs.durable import write_file

_NUMBER = re.compile(r"^[-+]?(\d+\.\d*|\.\d+|\d+)([eE][-+]?\d+)?$|^[-+]?\.(inf|Inf|INF)$")


class _Loader(yaml.SafeLoader):
    """YAML's plain values, without dates, and with 1e-3 as a number."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [
            (tag, pattern)
            for tag, pattern in resolvers
            if not tag.endswith((":timestamp", ":float", ":value"))
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _NUMBER, list("-+.0123456789"))


@dataclass(frozen=True)
class Setting:
    """An entry that is given in addition to the file; `place` is its flag."""

    path: str
    value: Any
    place: str

    @classmethod
    def read(cls, text: str) -> "Setting":
        """From "model.num_layers=4". Raises `setting_unreadable`."""
        path, equals, value = text.partition("=")
        if not (path and equals) or not all(path.split(".")):
            raise VitralError("setting_unreadable", setting=text)
        try:
            return cls(RENAMED.get(path, path), yaml.load(value, _Loader), f"--set {text}")
        except yaml.YAMLError:
            raise VitralError("setting_unreadable", setting=text) from None


@dataclass
class _Draft:
    """A recipe being read: its entries, where each came from, and what is wrong so far."""

    entries: dict[str, Any] = field(default_factory=dict)
    places: dict[str, int | str] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def place(self, path: str) -> int | str | None:
        """The source of the entry, of a part of it, or of the part that contains it."""
        inside = (place for each, place in self.places.items() if each.startswith(f"{path}."))
        found = self.places.get(path, next(inside, None))
        above = path.rpartition(".")[0]
        return self.place(above) if found is None and above else found

    def add(self, mistake: Mistake) -> None:
        self.mistakes.append(replace(mistake, place=self.place(mistake.path)))


def read_recipe(path: Path, settings: Sequence[Setting] = ()) -> Recipe:
    """The recipe in a YAML file, with `settings` in place of its own.

    Raises `recipe_missing`, `file_not_utf8`, or `RecipeError` with every mistake.
    """
    if not path.is_file():
        raise VitralError("recipe_missing", path=path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise VitralError("file_not_utf8", path=path, position=error.start) from None
    draft = _Draft()
    try:
        _read_yaml(text, draft)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else None
        mistake = Mistake("", "no_yaml", {"reason": error.problem or error.context}, line)
        raise RecipeError(path, [mistake]) from None
    except yaml.YAMLError as error:
        raise RecipeError(path, [Mistake("", "no_yaml", {"reason": str(error)})]) from None
    if not draft.entries:
        raise RecipeError(path, [Mistake("", "no_entries")])
    return _finish(path, draft, settings)


def with_settings(recipe: Recipe, settings: Sequence[Setting]) -> Recipe:
    """A recipe with other values for some entries. Raises `RecipeError`."""
    return _finish(recipe.name, _Draft(recipe.model_dump(mode="json")), settings)


def bent_to(recipe: Recipe, settings: Sequence[Setting]) -> Recipe:
    """An automatically chosen recipe with the user's settings, to which its other entries are
    adapted. Raises `RecipeError` if the settings contradict each other."""
    said = {each.path: each.value for each in settings}
    entries = bend(recipe.model_dump(mode="json"), said)
    return _finish(recipe.name, _Draft(entries), settings)


def recipe_of(entries: dict[str, Any]) -> Recipe:
    """The recipe of such entries, as a form gives them. Raises `RecipeError`."""
    return _finish(str(entries.get("name", "")), _Draft(with_current_names(entries)), [])


def write_recipe(recipe: Recipe, path: Path) -> None:
    """Write a recipe as YAML that `read_recipe` reads; what is at its default is left out."""
    entries = recipe.model_dump(mode="json", exclude_defaults=True)
    entries["model"] = {"form": recipe.model.form} | entries["model"]
    write_file(path, yaml.safe_dump(entries, sort_keys=False, allow_unicode=True))


def _read_yaml(text: str, draft: _Draft) -> None:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            _walk(node, "", draft, ())
            entries = loader.construct_document(node)
            if isinstance(entries, dict):
                draft.entries = with_current_names(_with_names(entries))
                for old, new in RENAMED.items():
                    if new in draft.entries and old in draft.places:
                        draft.places.setdefault(new, draft.places[old])
    finally:
        loader.dispose()


def _with_names(value: Any) -> Any:
    """The same with text for every name: YAML would read 1 and true as a number and a boolean."""
    if isinstance(value, dict):
        return {str(name): _with_names(inner) for name, inner in value.items()}
    return [_with_names(inner) for inner in value] if isinstance(value, list) else value


def _walk(node: yaml.Node, path: str, draft: _Draft, above: tuple[int, ...]) -> None:
    """Note each entry's line, and the names that stand twice."""
    if id(node) in above:
        raise yaml.constructor.ConstructorError(None, None, "*", node.start_mark)
    above = (*above, id(node))
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            inner = f"{path}.{name}" if path else name
            if name in seen:
                values = {"first": seen[name]}
                draft.mistakes.append(Mistake(inner, "twice", values, line))
            seen.setdefault(name, line)
            draft.places[inner] = line
            _walk(value, inner, draft, above)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            inner = f"{path}.{number}"
            draft.places[inner] = value.start_mark.line + 1
            _walk(value, inner, draft, above)


def _finish(source: Path | str, draft: _Draft, settings: Sequence[Setting]) -> Recipe:
    for setting in settings:
        _apply(setting, draft, [each.path for each in settings])
    recipe = _validate(draft)
    if draft.mistakes:
        in_order = sorted(draft.mistakes, key=_order)
        raise RecipeError(source, in_order)
    assert recipe is not None
    return recipe


def _order(mistake: Mistake) -> tuple[int, str]:
    return (mistake.place if isinstance(mistake.place, int) else 10**9, mistake.path)


def _apply(setting: Setting, draft: _Draft, given: Sequence[str]) -> None:
    """Put a setting in its place. A length replaces one in the other unit."""
    *above, last = setting.path.split(".")
    part: Any = draft.entries
    for word in above:
        if isinstance(part, list):
            part = part[int(word)] if word.isdigit() and int(word) < len(part) else None
        elif isinstance(part, dict):
            part = part.setdefault(word, {})
    if isinstance(part, list) and last.isdigit() and int(last) < len(part):
        part[int(last)] = setting.value
    elif isinstance(part, dict):
        part[last] = setting.value
    else:
        values = {"close": ""}
        draft.mistakes.append(Mistake(setting.path, "no_place", values, setting.place))
        return
    draft.places[setting.path] = setting.place
    other = {"steps": "minutes", "minutes": "steps"}.get(setting.path)
    if other is not None and setting.value is not None and other not in given:
        draft.entries.pop(other, None)


def _validate(draft: _Draft) -> Recipe | None:
    """The recipe of a draft. Mistakes are corrected as far as possible and the draft is read
    once more: contradictions are found only if every single entry is valid."""
    told: set[str] = set()
    lost: set[str] = set()
    while True:
        try:
            return Recipe.model_validate(draft.entries)
        except ValidationError as error:
            new = [each for each in _mistakes(error, draft) if each.path not in told]
        told |= {each.path for each in new}
        lost |= {each.path for each in new if each.key in ("wrong", "missing")}
        for mistake in new:
            if mistake.key in _OF_ONE_ENTRY or not _touches(mistake, lost):
                draft.add(mistake)
        if not new or any(each.key == "missing" and each.path != "name" for each in new):
            return None
        for mistake in new:
            _mend(mistake, draft.entries)


_OF_ONE_ENTRY = ("unknown", "unknown_close", "missing", "wrong")


def _touches(mistake: Mistake, lost: set[str]) -> bool:
    """Whether a contradiction may come from an entry that could not be read."""
    about = (mistake.path, *mistake.others)
    return any(
        f"{name}.".startswith(f"{each}.") or f"{each}.".startswith(f"{name}.")
        for name in about
        for each in lost
    )


def _mistakes(error: ValidationError, draft: _Draft) -> list[Mistake]:
    """What Pydantic found, in our words; several findings about one entry are one mistake."""
    found: dict[str, Mistake] = {}
    for each in error.errors():
        path = _path_of(each["loc"], draft.entries, missing=each["type"] == "missing")
        reason = each.get("ctx", {}).get("error")
        if isinstance(reason, ContradictionError):
            for mistake in reason.mistakes:
                inner = _join(path, mistake.path)
                others = tuple(_join(path, other) for other in mistake.others)
                found.setdefault(inner, replace(mistake, path=inner, others=others))
        else:
            mistake = _mistake(each["type"], path, each["msg"], draft)
            found.setdefault(mistake.path, mistake)
    return list(found.values())


def _mistake(kind: str, path: str, reason: str, draft: _Draft) -> Mistake:
    above, _, name = path.rpartition(".")
    if kind == "extra_forbidden":
        known = known_names(above, draft.entries)
        close = get_close_matches(name, known, n=1)
        if close:
            return Mistake(path, "unknown_close", {"close": close[0]})
        return Mistake(path, "unknown", {"known": ", ".join(known)})
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        path = f"{path}.form"
        kind = "missing" if kind == "union_tag_not_found" else kind
    if kind == "missing":
        return Mistake(path, "missing", {"takes": _takes(path, draft.entries)})
    if kind == "value_error":
        return Mistake(path, "contradiction", {"reason": reason.removeprefix("Value error, ")})
    value = _value_at(path, draft.entries)
    said = json.dumps(value, ensure_ascii=False, default=str)
    return Mistake(path, "wrong", {"takes": _takes(path, draft.entries), "value": said})


def _takes(path: str, entries: Any) -> Callable[[str | None], str]:
    """What an entry takes, to be said in the language of the message that it stands in."""
    as_it_is = json.loads(json.dumps(entries, default=str))
    return lambda language: takes(path, as_it_is, language)


def _path_of(location: Sequence[int | str], entries: Any, *, missing: bool) -> str:
    """Pydantic's place without the names of the choices that it went through."""
    parts: list[str] = []
    for number, part in enumerate(location):
        in_list = isinstance(entries, list) and isinstance(part, int) and part < len(entries)
        if in_list or (isinstance(entries, dict) and part in entries):
            entries = entries[part]
            parts.append(str(part))
        elif missing and number == len(location) - 1:
            parts.append(str(part))
    return ".".join(parts)


def _value_at(path: str, entries: Any) -> Any:
    for part in path.split("."):
        if isinstance(entries, dict):
            entries = entries.get(part)
        elif isinstance(entries, list) and part.isdigit():
            entries = entries[int(part)]
    return entries


def _mend(mistake: Mistake, entries: Any) -> None:
    """Take out what is wrong; what seems to be misspelt gets the name that was meant."""
    for path in {mistake.path, *mistake.others} - {"model.form"}:
        above, _, name = path.rpartition(".")
        part = _value_at(above, entries) if above else entries
        if isinstance(part, list):
            _mend(Mistake(above, "wrong"), entries)
        elif isinstance(part, dict):
            value = part.pop(name, None)
            close = mistake.values.get("close")
            if isinstance(close, str):
                part.setdefault(close, value)
            if path == "name":
                part[name] = "?"


def _join(path: str, inner: str) -> str:
    return f"{path}.{inner}" if path and inner else path or inner
