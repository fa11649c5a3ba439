"""A plain recipe, for a run that was given neither a recipe nor the minutes to choose one by.

A small decoder with a vocabulary that suits the text's length; or, if the run starts from a model,
that model's own shape at a low rate, since it is trained already.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vitral.data.corpus import ending_of
from vitral.data.files_below import files_below
from vitral.errors import VitralError
from vitral.models.folder import read_config
from vitral.models.forms import DEFAULT, form_of
from vitral.models.hugging_face import can_read, is_headless, read_to_train
from vitral.training.recipes.recipe import Recipe

SHORT = 20_000
"""A text of fewer bytes teaches no pieces of words."""


def plain_recipe(name: str, sources: Sequence[str], steps: int, start: Path | None) -> Recipe:
    """The recipe of a run of so many steps. Raises `start_without_shape` where the model in
    `start` turns one text into another, which takes more than a corpus."""
    entries: dict[str, Any] = {"name": name, "steps": steps}
    if start is not None:
        shape = _shape_of(start)
        entries |= {
            "model": shape,
            "optimizer": {"kind": "adamw", "rate": 0.0005},
            "co_occurrence_vectors": False,
        }
        context = shape["context"]
    else:
        context = 256
        entries |= {
            "model": {
                "form": DEFAULT,
                "context": context,
                "hidden_size": 192,
                "num_layers": 4,
                "num_heads": 6,
                "intermediate_size": 512,
            },
            "tokenizer": tokenizer_for(sources),
        }
    lengths = [min(64, context), context]
    entries["batch"] = {"tokens": max(4096, context), "lengths": lengths}
    entries["evaluate_every"] = max(1, min(100, steps // 5))
    return Recipe.model_validate(entries)


def _shape_of(start: Path) -> dict[str, Any]:
    """The entry `model` of a recipe that gives the model in `start`."""
    if not (can_read(start) or is_headless(start)):
        read_config(start)  # its own error is the clearer one
        raise VitralError("start_without_shape", folder=start)
    model: Any = read_to_train(start)
    form = form_of(model)
    if form is None or form.kind == "encoder-decoder":
        raise VitralError("start_without_shape", folder=start)
    entries = asdict(model.config) | {"form": form.name}
    shape = {name: value for name, value in entries.items() if name in form.shape.model_fields}
    try:
        form.shape.model_validate(shape)
    except ValidationError as error:
        # What no recipe can ask for (relu in a GPT-2) is the start's own, as it was found.
        for each in error.errors():
            shape.pop(str(each["loc"][-1]), None)
        try:
            form.shape.model_validate(shape)
        except ValidationError:
            raise VitralError("start_without_shape", folder=start) from error
    return shape


def tokenizer_for(sources: Sequence[str | Path]) -> dict[str, Any]:
    """The entry `tokenizer` that suits a corpus: byte-level BPE with a vocabulary that grows with
    the root of its bytes, from 512 for 40 kB to 8,192 for ten megabytes. A larger one shortens
    the text but has to be learned; a text too short for any is read byte by byte."""
    files = [
        file
        for source in map(Path, sources)
        for file in ([source] if source.is_file() else files_below(source))
    ]
    num_bytes = sum(_num_bytes(file) for file in files)
    if files and num_bytes < SHORT:
        return {"kind": "byte"}
    wanted = 2 ** round(math.log2(2.6 * math.sqrt(num_bytes))) if num_bytes else 8192
    return {"kind": "byte_bpe", "vocab_size": int(min(8192, max(512, wanted)))}


def _num_bytes(file: Path) -> int:
    """About how many bytes of text are in a file: compressed text takes a third of its size."""
    size = file.stat().st_size
    return 3 * size if ending_of(file).endswith((".gz", ".parquet")) else size
