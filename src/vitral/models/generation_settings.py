"""The generation settings of a model's folder: end tokens, and rules such as forbidden tokens.

A folder in the Hugging Face format has them in `generation_config.json`, older ones in
`config.json`; the end token may be in `tokenizer_config.json` only. All three are read, in that
order, and the settings stay with the module (`module.generation_settings`).
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from vitral.models.description import configuration

END_NAMES = ("</s>", "<|endoftext|>", "<|end|>", "<s>")
"""Names of the end token, if no file specifies it."""

_IN_CONFIG = ("text_config", "decoder", "generator")
"""Parts of a `config.json` in which a model of several parts describes the one that writes."""


def read_settings(folder: Path, config: Mapping[str, Any], tokenizer: Any) -> dict[str, Any]:
    """The folder's generation settings without null entries. `eos_token_id` is among them if any
    of the three files names the end token."""
    own = _object_in(folder / "generation_config.json")
    found = dict(own) if own else _from_config(config)
    settings = {name: value for name, value in found.items() if value is not None}
    if "eos_token_id" not in settings:
        end = _from_config(config).get("eos_token_id")
        if end is None:
            end = _end_of_tokenizer(folder, tokenizer)
        if end is not None:
            settings["eos_token_id"] = end
    return settings


def keep_settings(
    module: nn.Module, folder: Path, config: Mapping[str, Any], tokenizer: Any
) -> None:
    """Attach the folder's generation settings to `module`."""
    settings: Any = read_settings(folder, config, tokenizer)
    module.generation_settings = settings


def settings_of(module: nn.Module) -> dict[str, Any]:
    """The generation settings of `module`: from its folder or, for a module of transformers, from
    its current `generation_config`."""
    kept: dict[str, Any] = getattr(module, "generation_settings", None) or {}
    generating = getattr(module, "generation_config", None)
    if generating is None or not hasattr(generating, "to_dict"):
        return kept
    now = {name: value for name, value in generating.to_dict().items() if value is not None}
    ends = {name: kept[name] for name in ("eos_token_id",) if name in kept}
    return ends | now


def end_ids(module: nn.Module, tokenizer: Any) -> frozenset[int]:
    """The tokens that end a text: those in the model's folder or configuration, by default the
    tokenizer's; empty if none is named."""
    config = configuration(module)
    named = (
        settings_of(module).get("eos_token_id"),
        getattr(config, "eos_token_id", None),
        getattr(tokenizer, "eos_token_id", None),
    )
    found = next((ids for each in named if (ids := as_ids(each))), None)
    if found is None and hasattr(tokenizer, "token_to_id"):
        by_name = (tokenizer.token_to_id(name) for name in END_NAMES)
        found = as_ids(next((each for each in by_name if each is not None), None))
    return found or frozenset()


def as_ids(value: Any) -> frozenset[int]:
    """One id or several as a set; empty for anything else."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    values: Iterable[Any] = value if isinstance(value, list | tuple | set | frozenset) else [value]
    return frozenset(each for each in values if type(each) is int and each >= 0)


def _from_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of `config.json`, with those of its text part."""
    parts = (config.get(name) for name in _IN_CONFIG)
    inner: Mapping[str, Any] = next((part for part in parts if isinstance(part, dict)), {})
    return {**inner, **{name: value for name, value in config.items() if value is not None}}


def _end_of_tokenizer(folder: Path, tokenizer: Any) -> int | None:
    if not hasattr(tokenizer, "token_to_id"):
        return None  # transformers' tokenizer knows it by itself
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        token = (_object_in(folder / name) or {}).get("eos_token")
        token = token.get("content") if isinstance(token, dict) else token
        if isinstance(token, str) and (found := tokenizer.token_to_id(token)) is not None:
            return int(found)
    return None


def _object_in(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None if there is no such file, or no object in it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
