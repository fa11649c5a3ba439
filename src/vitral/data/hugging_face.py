"""Documents of a Hugging Face dataset, through the `datasets` library: one per row.

hf:wikimedia/wikipedia:train     from the hub, streamed; "train" where no split is named
hf:corpus/  or  corpus/          a folder that `datasets.save_to_disk` wrote, memory-mapped
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vitral.errors import VitralError

PREFIX = "hf:"

HUB_SECONDS = 5
"""Seconds after which a hub without an answer counts as unreachable."""


def is_dataset(source: str | Path) -> bool:
    """Whether a source is a dataset: by its prefix, or by the folder's content."""
    if str(source).startswith(PREFIX):
        return True
    return any((Path(source) / name).is_file() for name in ("state.json", "dataset_dict.json"))


def dataset_name(source: str | Path) -> str:
    """What its rows' names begin with: the source without prefix and split."""
    return _parse(source)[0].rstrip("/")


def read_dataset(source: str | Path, text_field: str) -> Iterator[tuple[str, str]]:
    """Name and text of each row, named `dataset:17` by its number, from 1.

    Raises VitralError: `datasets_needed` where the library is not installed, `dataset_unreadable`
    (no network, no such name), `dataset_split`, `dataset_field`.
    """
    path, split = _parse(source)
    name = dataset_name(source)
    rows = _open(path, split)
    fields = getattr(rows, "column_names", None)
    if fields is not None and text_field not in fields:
        raise VitralError("dataset_field", source=name, field=text_field, known=", ".join(fields))
    for number, row in enumerate(rows, start=1):
        text = row.get(text_field)
        if not isinstance(text, str):
            raise VitralError("dataset_field", source=name, field=text_field, known=", ".join(row))
        yield f"{name}:{number}", text


def _parse(source: str | Path) -> tuple[str, str | None]:
    path = str(source).removeprefix(PREFIX)
    if Path(path).is_dir():
        return path, None
    path, _, split = path.partition(":")
    return path, split or None


def _open(path: str, split: str | None) -> Any:
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    try:
        import datasets
        from huggingface_hub import HfApi
    except ImportError:
        raise VitralError("datasets_needed", source=path) from None
    try:
        if not Path(path).is_dir():
            # A separate request, because this is the one with a timeout.
            HfApi().dataset_info(path, timeout=HUB_SECONDS)
            return datasets.load_dataset(path, split=split or "train", streaming=True)
        found = datasets.load_from_disk(path)
    except Exception as error:  # as many kinds as there are places to read from
        reason = " ".join(str(error).split())[:300]
        raise VitralError("dataset_unreadable", source=path, reason=reason) from error
    if not isinstance(found, dict):
        return found
    chosen = split or ("train" if "train" in found else None)
    chosen = next(iter(found)) if chosen is None and len(found) == 1 else chosen
    if chosen not in found:
        raise VitralError("dataset_split", source=path, known=", ".join(found))
    return found[chosen]
