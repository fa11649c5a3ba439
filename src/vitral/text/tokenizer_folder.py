"""A tokenizer in a folder of its own, which transformers' AutoTokenizer opens as well."""

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from vitral.errors import VitralError
from vitral.text.as_text import clear

FILE = "tokenizer.json"
_CONFIG = "tokenizer_config.json"
_ROLES = {
    "[PAD]": ["pad_token"],
    "[UNK]": ["unk_token"],
    "[CLS]": ["cls_token"],
    "[SEP]": ["sep_token"],
    "[MASK]": ["mask_token"],
    "<s>": ["bos_token", "eos_token"],
    "<unk>": ["unk_token"],
}


def roles_of(tokenizer: Tokenizer) -> dict[str, str]:
    """Which of its tokens plays which of transformers' roles: {"bos_token": "<s>", …}."""
    present = {t: names for t, names in _ROLES.items() if tokenizer.token_to_id(t) is not None}
    return {name: token for token, names in present.items() for name in names}


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json, each of them whole or not at all.

    Raises VitralError `file_unwritable`.
    """
    entries: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        **roles_of(tokenizer),
    }
    texts = {
        _CONFIG: json.dumps(entries, indent=2, ensure_ascii=False) + "\n",
        FILE: tokenizer.to_str(pretty=True),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            partial = folder / f"{name}.new"
            partial.write_text(text, encoding="utf-8")
            partial.replace(folder / name)
    except OSError as error:
        raise VitralError("file_unwritable", path=folder, reason=error.strerror) from error


def read_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer in a tokenizer.json, without the truncation and padding that it may have
    been saved with. Raises VitralError `tokenizer_damaged`."""
    try:
        return clear(Tokenizer.from_file(str(path)))
    except Exception as error:  # the library raises bare Exception
        raise VitralError("tokenizer_damaged", path=path, reason=str(error)) from error
