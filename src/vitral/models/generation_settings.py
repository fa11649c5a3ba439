"""What a model's folder says of writing with it: where a text ends, and what is never written.

A folder in the Hugging Face format says it in `generation_config.json`, older ones in
`config.json`; the token that ends a text may stand in `tokenizer_config.json` alone. All three
are read, in that order, and what was read stays with the module (`module.generation_settings`).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from vitral.checked_files import read_json
from vitral.errors import VitralError
from vitral.models.description import configuration

END_NAMES = ("</s>", "<|endoftext|>", "<|end|>", "<s>")
"""What the token that ends a text is called where nothing says which it is."""

_IN_CONFIG = ("text_config", "decoder", "generator")
"""Parts of a `config.json` in which a model of several parts describes the one that writes."""


def read_settings(folder: Path, config: Mapping[str, Any], tokenizer: Any) -> dict[str, Any]:
    """What the folder says of writing, without what is left unsaid (null). `eos_token_id` is
    there whenever any of the three files names the token that ends a text."""
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
    """Have `module` keep what the folder says of writing with it."""
    settings: Any = read_settings(folder, config, tokenizer)
    module.generation_settings = settings


def settings_of(module: nn.Module) -> dict[str, Any]:
    """What is said of writing with `module`: by the folder that it was opened from, or, of a
    module of transformers, by its `generation_config` as it is now."""
    kept: dict[str, Any] = getattr(module, "generation_settings", None) or {}
    generating = getattr(module, "generation_config", None)
    if generating is None or not hasattr(generating, "to_dict"):
        return kept
    now = {name: value for name, value in generating.to_dict().items() if value is not None}
    ends = {name: kept[name] for name in ("eos_token_id",) if name in kept}
    return ends | now


def end_ids(module: nn.Module, tokenizer: Any) -> frozenset[int]:
    """The tokens that end a text: those that the model's folder or configuration names, else the
    tokenizer's; empty if nothing names one."""
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
    """One id or several as a set; anything else is none."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    values: Iterable[Any] = value if isinstance(value, list | tuple | set | frozenset) else [value]
    return frozenset(each for each in values if type(each) is int and each >= 0)


def _from_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """What `config.json` says, that of its text's part included."""
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
    """The JSON object in a file; None where there is no such file, or it holds no such thing."""
    try:
        found = read_json(path, 64 * 2**20, strict=False)
    except (OSError, VitralError):
        return None
    return found if isinstance(found, dict) else None
