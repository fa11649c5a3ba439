"""Adapting an automatically chosen recipe to the user's settings.

A plain recipe and the dial's choose a width, heads that share it, windows that fit the context. A
user who then sets `model.hidden_size=64` has not chosen the heads, so the heads are adapted: every
entry without a value from the user is made consistent with those that have one. Settings that
contradict each other are left as they are, and the recipe's own checks report them.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from vitral.models.forms import form_named, names
from vitral.training.recipes.recipe import objective_of
from vitral.training.recipes.recipe_entries import known_names
from vitral.training.recipes.shapes import ENCODERS

Entries = dict[str, Any]


def bend(entries: Entries, said: Mapping[str, Any]) -> Entries:
    """The `entries` of a recipe with those that were `said` (by dotted path), and all others in
    line with them."""
    bent = deepcopy(entries)
    for path, value in said.items():
        _put(bent, path, value)
    form = bent.get("model", {}).get("form")
    if "model.form" in said and isinstance(form, str):
        _take_form(bent, said, form)
    if isinstance(bent.get("model"), dict):
        _share_width(bent["model"], said)
    if isinstance(bent.get("batch"), dict) and isinstance(bent.get("model"), dict):
        _fit_windows(bent, said)
    if isinstance(bent.get("schedule"), dict):
        _order_schedule(bent["schedule"], said)
    return bent


def _put(entries: Entries, path: str, value: Any) -> None:
    *above, last = path.split(".")
    part: Any = entries
    for name in above:
        part = part.setdefault(name, {}) if isinstance(part, dict) else None
    if isinstance(part, dict):
        part[last] = value


def _take_form(entries: Entries, said: Mapping[str, Any], form: str) -> None:
    """Another form has other entries, another objective, and an encoder other tokens."""
    known = known_names("model", {"model": {"form": form}})
    model = entries["model"]
    entries["model"] = {
        name: value for name, value in model.items() if name in known or f"model.{name}" in said
    }
    if not any(path.startswith("phases") for path in said):
        entries["phases"] = [{"objective": objective_of(form)}]
    kind = entries.get("tokenizer", {}).get("kind")
    if form in ENCODERS and "tokenizer.kind" not in said and kind != "wordpiece":
        size = entries.get("tokenizer", {}).get("vocab_size") if kind != "byte" else 512
        _put(entries, "tokenizer.kind", "wordpiece")
        if "tokenizer.vocab_size" not in said:
            _put(entries, "tokenizer.vocab_size", size or 8192)


def _share_width(model: Entries, said: Mapping[str, Any]) -> None:
    """Heads share the width evenly, and rotary ones in pairs of numbers, which turn together."""
    width: Any = model.get("hidden_size")
    heads: Any = model.get("num_heads")
    follows = "intermediate_size" in model and "model.intermediate_size" not in said
    if _counts(width) and "model.hidden_size" in said and follows:
        model["intermediate_size"] = _inner(width, model.get("form"))
    if not (_counts(width) and _counts(heads)):
        return
    step = 2 if getattr(_shape_of(model.get("form")), "rotary", False) else 1
    groups: Any = model.get("num_key_value_heads") or 1
    if "model.num_heads" not in said:
        groups = groups if _counts(groups) and "model.num_key_value_heads" in said else 1
        fitting = [n for n in range(1, max(heads, groups) + 1) if _fits(width, n, groups, step)]
        model["num_heads"] = heads = max(fitting, default=heads)
    elif "model.hidden_size" not in said:
        model["hidden_size"] = -(-width // (heads * step)) * heads * step
    if _counts(model.get("num_key_value_heads")) and "model.num_key_value_heads" not in said:
        most = min(model["num_key_value_heads"], heads)
        model["num_key_value_heads"] = max(n for n in range(1, most + 1) if heads % n == 0)


def _shape_of(form: Any) -> Any:
    """The shape of a form; None where it is none."""
    return form_named(form).shape if isinstance(form, str) and form in names() else None


def _inner(width: int, form: Any) -> int:
    """The feed-forward part's width for a model's: four times it, or 8/3 where it is gated."""
    fields = getattr(_shape_of(form), "model_fields", {})
    sizes = ("intermediate_size", "hidden_size")
    usual = [getattr(fields.get(name), "default", 0) for name in sizes]
    gated = all(map(_counts, usual)) and usual[0] < 3 * usual[1]
    return -(-width * 8 // (3 * 32)) * 32 if gated else 4 * width


def _fits(width: int, heads: int, groups: int, step: int) -> bool:
    return width % (heads * step) == 0 and heads % groups == 0


def _fit_windows(entries: Entries, said: Mapping[str, Any]) -> None:
    """Windows are no longer than the context, and a batch holds the longest."""
    batch, model = entries["batch"], entries["model"]
    lengths, tokens, context = batch.get("lengths"), batch.get("tokens"), model.get("context")
    if not isinstance(lengths, list) or not lengths or not all(map(_counts, lengths)):
        return
    if "batch.lengths" not in said:
        most = [each for each in (context,) if _counts(each)]
        most += [tokens] if "batch.tokens" in said and _counts(tokens) else []
        lengths = batch["lengths"] = sorted({min([length, *most]) for length in lengths})
    elif _counts(context) and "model.context" not in said:
        model["context"] = max(context, *lengths)
    if _counts(tokens) and "batch.tokens" not in said:
        batch["tokens"] = max(tokens, *lengths)


def _order_schedule(schedule: Entries, said: Mapping[str, Any]) -> None:
    warm_up, decay = schedule.get("warm_up"), schedule.get("decay_from")
    if isinstance(warm_up, int | float) and isinstance(decay, int | float) and warm_up > decay:
        if "schedule.decay_from" not in said:
            schedule["decay_from"] = warm_up
        elif "schedule.warm_up" not in said:
            schedule["warm_up"] = decay


def _counts(value: Any) -> bool:
    """Whether it is a positive whole number."""
    return type(value) is int and value > 0
