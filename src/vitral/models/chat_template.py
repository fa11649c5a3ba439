"""The template by which a model's folder turns a conversation into text.

A model that was tuned to converse has seen conversations in one form only: who speaks stands
between special tokens. The folder holds that form as a template in Jinja, which transformers
renders (https://huggingface.co/docs/transformers/chat_templating), in a sandbox.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vitral.errors import VitralError

FILES = ("chat_template.jinja", "chat_template.json", "tokenizer_config.json")
"""Where it stands, in transformers' order: a file of its own, or an entry `chat_template`."""

NAMED = ("bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token")
"""Special tokens that a template may write by these names."""

Messages = str | Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class ChatTemplate:
    """The template's `source`, and the special tokens that it may name."""

    source: str
    tokens: Mapping[str, str] = field(default_factory=dict)

    def render(self, messages: Messages, model: str) -> str:
        """The text of a conversation, up to where the model's answer begins; or, if the answer
        is its last message, all of it.

        `messages` are {"role": "user", "content": "…"}, one after the other; a text alone is one
        message of the user's. Raises VitralError `messages_wrong`, and `chat_template_refuses`
        with the template's own reason.
        """
        given = checked(messages)
        from transformers.utils.chat_template_utils import render_jinja_template

        answered = given[-1]["role"] == "assistant"
        try:
            rendered, _ = render_jinja_template(
                conversations=[given],
                chat_template=self.source,
                add_generation_prompt=not answered,
                **self.tokens,
            )
        except Exception as error:  # a template is a program, and raises what it likes
            reason = " ".join(str(error).split())[:300]
            raise VitralError("chat_template_refuses", model=model, reason=reason) from error
        return str(rendered[0])


def checked(messages: Messages) -> list[dict[str, Any]]:
    """The messages as a list. Raises VitralError `messages_wrong` for what are none."""
    if isinstance(messages, str):
        return [{"role": "user", "content": messages}]
    if not isinstance(messages, Sequence) or not messages:
        raise VitralError("messages_wrong", message=repr(messages)[:80])
    given: list[dict[str, Any]] = []
    for each in messages:
        said = isinstance(each, Mapping) and [each.get("role"), each.get("content")]
        if not said or not all(isinstance(part, str) for part in said):
            raise VitralError("messages_wrong", message=repr(each)[:80])
        given.append(dict(each) if isinstance(each, Mapping) else {})
    return given


def read_chat_template(folder: Path) -> ChatTemplate | None:
    """The folder's chat template; of several named ones the default. None if it has none that
    can be read."""
    for name in FILES:
        try:
            written = (folder / name).read_text(encoding="utf-8")
            found = written if name.endswith(".jinja") else json.loads(written)
        except (OSError, ValueError):
            continue
        source = found if isinstance(found, str) else default_template(found)
        if source is not None:
            return ChatTemplate(source, _named_in(folder))
    return None


def template_of(tokenizer: Any) -> ChatTemplate | None:
    """The template of one of transformers' tokenizers, or None."""
    source = default_template({"chat_template": getattr(tokenizer, "chat_template", None)})
    if source is None:
        return None
    named = {name: getattr(tokenizer, name, None) for name in NAMED}
    return ChatTemplate(source, {name: str(token) for name, token in named.items() if token})


def default_template(entries: Any) -> str | None:
    """The template in an object's entry `chat_template`: a text, or one of several named ones."""
    found = entries.get("chat_template") if isinstance(entries, dict) else None
    if isinstance(found, list):
        found = {each.get("name"): each.get("template") for each in found if isinstance(each, dict)}
    if isinstance(found, dict):
        found = found.get("default", next(iter(found.values()), None))
    return found if isinstance(found, str) else None


def _named_in(folder: Path) -> dict[str, str]:
    """The special tokens that `tokenizer_config.json` names, or `special_tokens_map.json`."""
    named: dict[str, str] = {}
    for file in ("tokenizer_config.json", "special_tokens_map.json"):
        try:
            entries = json.loads((folder / file).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        for name in NAMED if isinstance(entries, dict) else ():
            token = entries.get(name)
            token = token.get("content") if isinstance(token, dict) else token
            if isinstance(token, str):
                named.setdefault(name, token)
    return named
