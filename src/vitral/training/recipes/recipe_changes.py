"""What changed in a recipe since the run was begun with it.

Some entries decide what a run *is*: the model's shape, the tokenizer, the text, the memory of
its optimiser. Another value there would make what was learned so far meaningless, or would have
no effect, so it is refused. All others may change while the run is stopped: how long it is, its
rate, its batch. Either way each changed entry is reported, before and now.
"""

from collections.abc import Iterator
from typing import Any

from vitral.errors import VitralError
from vitral.training.recipes.recipe import Recipe, with_current_names

DECIDED = (
    "model",
    "tokenizer",
    "data.cleaning",
    "data.text_field",
    "data.held_out",
    "data.ends",
    "optimizer.kind",
    "seed",
    "co_occurrence_vectors",
)
"""What cannot change once a run has begun …"""

FREE = ("model.dropout",)
"""… but this can."""


ADDED_LATER = ("data.ends", "evaluate_characters")
"""Entries that recipes of earlier versions do not have. The text of such a run is already read."""


def changes(before: dict[str, Any], now: Recipe) -> list[str]:
    """The entries that are not as they were, each as "model.num_layers: 6 → 4".

    `before` is the recipe that was saved with the run. Raises `recipe_changed` if one of them
    decides what the run is.
    """
    old, new = _flat(with_current_names(before)), _flat(now.model_dump(mode="json"))
    new = {path: value for path, value in new.items() if path in old or path not in ADDED_LATER}
    differing = [path for path in {**old, **new} if old.get(path) != new.get(path)]
    told = {path: f"{path}: {_said(old.get(path))} → {_said(new.get(path))}" for path in differing}
    refused = [told[path] for path in differing if _is_decided(path)]
    if refused:
        raise VitralError("recipe_changed", changes="; ".join(refused))
    return list(told.values())


def _is_decided(path: str) -> bool:
    return any(path == entry or path.startswith(f"{entry}.") for entry in DECIDED) and (
        path not in FREE
    )


def _flat(entries: Any, path: str = "") -> dict[str, Any]:
    """Nested entries as one dictionary with dotted names."""
    return dict(_leaves(entries, path))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        pairs = [(str(name), inner) for name, inner in value.items()]
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        pairs = [(str(number), inner) for number, inner in enumerate(value)]
    else:
        yield path, value
        return
    for name, inner in pairs:
        yield from _leaves(inner, f"{path}.{name}" if path else name)


def _said(value: Any) -> str:
    return "—" if value is None else str(value)
