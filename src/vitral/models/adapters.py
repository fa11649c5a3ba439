"""Opening a PEFT adapter's folder: a model whose weights are another's, changed by a small file.

Such a folder holds `adapter_config.json`, which names the model that it changes (its base) and
how, and `adapter_model.safetensors`. PEFT (https://github.com/huggingface/peft) reads it, and puts
the change into the weights: LoRA's W + (α/r) B A, and likewise for DoRA, LoHa, LoKr, OFT, IA³,
VeRA and others. What is opened is then a model like any other, and every number that is computed
from its weights is that of the adapted model. It is merged in float32: in half precision much of a
small change would be rounded away.

Prefix and prompt tuning change no weights; they put virtual tokens before the text, and are
refused here.
"""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from vitral.errors import VitralError
from vitral.models.adapter_folder import WEIGHTS, adapter_config, base_folder, is_adapter
from vitral.models.chat_template import read_chat_template
from vitral.models.folder import check_finite, check_weights, read_config
from vitral.models.generation_settings import keep_settings
from vitral.models.load import (
    ONE_AT_A_TIME,
    Opened,
    locate,
    open_folder,
    open_tokenizer,
    quiet_transformers,
)

_HEADS = {
    "SEQ_CLS": "AutoModelForSequenceClassification",
    "TOKEN_CLS": "AutoModelForTokenClassification",
    "QUESTION_ANS": "AutoModelForQuestionAnswering",
}
"""The class of the base where the adapter brought a head of its own, by PEFT's task."""

_WITHOUT_MERGE = (
    *("PROMPT_TUNING", "MULTITASK_PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING", "CPT"),
    *("CARTRIDGE", "ADAPTION_PROMPT", "XLORA"),
)


@dataclass(frozen=True)
class Adapter:
    """What was opened: PEFT's name of its kind ("LORA"), its folder, and that of its base."""

    kind: str
    folder: Path
    base: Path


def open_any(
    source: str | os.PathLike[str], base: str | os.PathLike[str] | None = None
) -> tuple[Opened, Adapter | None]:
    """Open what `vitral.models.load.open_source` opens, or an adapter on its base.

    `base` is where the adapter's base is, if it is not where its configuration says. Raises
    VitralError `adapter_without_base` (no base for what is no adapter), `adapter_damaged`,
    `adapter_base_unreachable`, `adapter_not_mergeable`, `adapter_does_not_fit`, `peft_needed`,
    `weights_pickled`, and what `open_folder` raises.
    """
    name, folder = locate(source)
    if not is_adapter(folder):
        if base is not None:
            raise VitralError("base_without_adapter", name=name)
        return open_folder(folder, name), None
    said = adapter_config(folder)
    adapter = Adapter(str(said["peft_type"]), folder, base_folder(folder, said, base))
    return open_adapter(adapter, name, said), adapter


def open_adapter(adapter: Adapter, name: str, said: dict[str, Any]) -> Opened:
    """The base with the adapter in its weights, in float32. Raises what `open_any` raises."""
    folder = adapter.folder
    path = folder / WEIGHTS
    if adapter.kind in _WITHOUT_MERGE:
        raise VitralError("adapter_not_mergeable", adapter=name, kind=adapter.kind)
    if not path.is_file():
        pickled = folder / "adapter_model.bin"
        key = "adapter_pickled" if pickled.is_file() else "weights_missing"
        raise VitralError(key, folder=str(folder), path=str(pickled))
    module = _merged(read_base(adapter, said), path, name)
    check_finite(module, path)
    tokenizer = open_tokenizer(folder)
    if tokenizer is None:
        tokenizer = open_tokenizer(adapter.base)
    keep_settings(module, adapter.base, read_config(adapter.base), tokenizer)
    template = read_chat_template(folder) or read_chat_template(adapter.base)
    return Opened(name, module.eval(), tokenizer, folder, template)


def open_base(adapter: Adapter, name: str) -> Opened:
    """An adapter's base as it was read for the adapter: by transformers' class, in float32."""
    module = read_base(adapter, adapter_config(adapter.folder))
    check_finite(module, adapter.base)
    tokenizer = open_tokenizer(adapter.base)
    keep_settings(module, adapter.base, read_config(adapter.base), tokenizer)
    return Opened(name, module.eval(), tokenizer, adapter.base, read_chat_template(adapter.base))


def read_base(adapter: Adapter, said: dict[str, Any]) -> nn.Module:
    """The base, by transformers' class, in float32; its head may be one that only the adapter
    has. Raises VitralError `architecture_unknown`, `weights_damaged` and others."""
    config = read_config(adapter.base)
    weights = check_weights(adapter.base)
    architecture = next(iter(config.get("architectures") or ()), "AutoModel")
    saved = tuple(said.get("modules_to_save") or ())
    options: dict[str, Any] = {}
    head = _HEADS.get(str(said.get("task_type")))
    if head is not None:
        architecture = head
        options["num_labels"] = _num_labels(adapter.folder / WEIGHTS, saved)
    with ONE_AT_A_TIME:
        import transformers
    found = getattr(transformers, architecture, None)
    if found is None:
        raise VitralError(
            "architecture_unknown", folder=str(adapter.base), architecture=architecture
        )
    try:
        with ONE_AT_A_TIME, quiet_transformers():
            module, report = found.from_pretrained(
                adapter.base,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
                dtype=torch.float32,
                **options,
            )
    except Exception as error:  # as many kinds as there are models
        reason = " ".join(str(error).split())[:300]
        raise VitralError("weights_damaged", path=str(weights[0]), reason=reason) from error
    absent = [key for key in sorted(report["missing_keys"]) if not key.startswith(saved or ("?",))]
    if absent:
        raise VitralError("weights_damaged", path=str(weights[0]), reason=f"{absent[0]} is missing")
    read: nn.Module = module
    return read


def _num_labels(path: Path, saved: tuple[str, ...]) -> int:
    """Classes of a head that stands in an adapter's file: rows of its last map; 2 if none does."""
    if not path.is_file():
        return 2
    maps = [
        weight
        for name, weight in _read(path).items()
        if weight.ndim == 2 and any(f".{part}." in name for part in saved)
    ]
    return len(maps[-1]) if maps else 2


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise VitralError("weights_damaged", path=str(path), reason=str(error)) from error


def _merged(base: nn.Module, path: Path, name: str) -> nn.Module:
    """The base with the adapter's change in its weights.

    Raises VitralError `peft_needed`, and `adapter_does_not_fit` where a weight of the file has
    no place in the base, or the other way round.
    """
    weights = _read(path)
    try:
        with ONE_AT_A_TIME:
            import peft
    except ImportError as error:
        raise VitralError("peft_needed") from error
    try:
        with warnings.catch_warnings(), quiet_transformers():
            warnings.simplefilter("ignore")
            adapted = peft.PeftModel.from_pretrained(base, path.parent, local_files_only=True)
            report = peft.set_peft_model_state_dict(adapted, weights)
            learned = {key for key, _ in adapted.named_parameters() if ".default" in key}
            absent = [key for key in report.missing_keys if key in learned]
            wrong = [*report.unexpected_keys, *absent]
            merged: nn.Module = adapted.merge_and_unload()
    except Exception as error:  # as many kinds as there are adapters
        reason = " ".join(str(error).split())[:300]
        raise VitralError("adapter_does_not_fit", adapter=name, reason=reason) from error
    if wrong:
        raise VitralError("adapter_does_not_fit", adapter=name, reason=wrong[0])
    return merged.requires_grad_(True)  # PEFT has frozen them
