"""The template by which a model's folder turns a conversation into text."""

import json
from pathlib import Path
from typing import Any

FILES = ("chat_template.jinja", "chat_template.json", "tokenizer_config.json")
"""Where it stands, in transformers' order: a file of its own, or an entry `chat_template`."""


def read_chat_template(folder: Path) -> str | None:
    """The folder's chat template, in Jinja; of several named ones the default. None if it has
    none that can be read."""
    for name in FILES:
        try:
            written = (folder / name).read_text(encoding="utf-8")
            found = written if name.endswith(".jinja") else json.loads(written)
        except (OSError, ValueError):
            continue
        template = found if isinstance(found, str) else default_template(found)
        if template is not None:
            return template
    return None


def default_template(entries: Any) -> str | None:
    """The template in an object's entry `chat_template`: a text, or one of a list of named ones."""
    found = entries.get("chat_template") if isinstance(entries, dict) else None
    if isinstance(found, list):
        named = {each.get("name"): each.get("template") for each in found if isinstance(each, dict)}
        found = named.get("default", next(iter(named.values()), None))
    return found if isinstance(found, str) else None
