"""The files that training does not change: special tokens, chat template, generation settings.

A run that starts from a model changes its weights. The ids of its special tokens, its
`tokenizer_config.json`, its chat template and its `generation_config.json` are copied from the
model's folder into the run's, and from there into every model that the run writes.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from vitral.models.generation_settings import as_ids

TOKENIZER_CONFIG = "tokenizer_config.json"
KEPT = (
    TOKENIZER_CONFIG,
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "generation_config.json",
)
"""Files that are copied as they are."""

_IDS = {"bos_token_id": "bos_token", "eos_token_id": "eos_token", "pad_token_id": "pad_token"}


def keep_files(start: Path, kept: Path) -> None:
    """Copy the files from a model's folder that models trained from it keep."""
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for name in (*KEPT, "config.json"):
        if (start / name).is_file():
            shutil.copyfile(start / name, kept / name)


def put_back(kept: Path, folder: Path) -> None:
    """Copy the files that `keep_files` kept, if any, to the newly written model in `folder`."""
    if not (kept / "config.json").is_file():
        return
    before = _read(kept / "config.json")
    ids = {name: before[name] for name in _IDS if name in before}
    _write(folder / "config.json", _read(folder / "config.json") | ids)
    for name in KEPT:
        if (kept / name).is_file():
            shutil.copyfile(kept / name, folder / name)
    if not (kept / TOKENIZER_CONFIG).is_file() and (folder / TOKENIZER_CONFIG).is_file():
        _name_by_ids(folder, ids)


def _name_by_ids(folder: Path, ids: dict[str, Any]) -> None:
    """Write the tokens of the configuration's ids into the tokenizer's configuration."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    entries = _read(folder / TOKENIZER_CONFIG)
    for name, value in ids.items():
        number = min(as_ids(value), default=None)
        token = None if number is None else tokenizer.id_to_token(number)
        entries.pop(_IDS[name], None)
        if token is not None:
            entries[_IDS[name]] = token
    _write(folder / TOKENIZER_CONFIG, entries)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _write(path: Path, entries: dict[str, Any]) -> None:
    path.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
