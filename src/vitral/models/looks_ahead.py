"""Whether a model's tokens see later ones: measured, because a configuration may not say so.

A decoder predicts each token from those before it, so a later token must not change what the
model made of an earlier one. A short row of ids is run, then the same row with its last id
changed, and once more with all ids after the first one changed (a prefix that sees itself whole
is found so). The model's result is compared, or, where that has no vector for each token (a
classifier's), what its last layer gave.
"""

import threading
from contextlib import ExitStack
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from vitral.models.wrapped import input_names, model_inside
from vitral.nn.attention_call import editor, observer

LENGTH = 6
"""Tokens of the row that is run."""

SURE = 64
"""From this many times the rounding error on, a change is no matter of rounding."""

_known: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()
_lock = threading.RLock()


def looks_ahead(module: nn.Module) -> bool | None:
    """Whether an earlier token's vector depends on a later token; None where the model cannot be
    run on ids. Measured once for each module."""
    with _lock:
        if module not in _known:
            found = _measured(module)
            if found is None:
                return None
            _known[module] = found
        return _known[module]


def _measured(module: nn.Module) -> bool | None:
    ids = _ids(module)
    if ids is None:
        return None
    first, second = ids
    last_changed = [*first[:-1], second[-1]]
    rest_changed = [first[0], *second[1:]]
    try:
        before, last, rest = (_vectors(module, row) for row in (first, last_changed, rest_changed))
    except Exception:  # a model that reads something else fails in as many ways as there are
        return None
    if before is None or last is None or rest is None:
        return None
    error = torch.finfo(before.dtype).eps * float(before.abs().max())
    change = max(
        float((before[:-1] - last[:-1]).abs().max()), float((before[:1] - rest[:1]).abs().max())
    )
    if change != change or change > SURE * error:  # not a number: no matter, it is no decoder
        return True
    # Within rounding: exactly alike, or experts that shared their work with another token.
    return change > 0 and not _says_causal(module)


def _says_causal(module: nn.Module) -> bool:
    return any(getattr(part, "is_causal", False) is True for part in module.modules())


def _ids(module: nn.Module) -> tuple[list[int], list[int]] | None:
    """Two rows of ordinary ids that differ everywhere."""
    config = getattr(model_inside(module), "config", None)
    tables = [each for each in module.modules() if isinstance(each, nn.Embedding)]
    size = getattr(config, "vocab_size", None)
    if not isinstance(size, int):
        size = tables[0].num_embeddings if tables else 0
    names = ("pad", "bos", "eos", "cls", "sep", "mask", "unk", "image", "audio", "video")
    named = [getattr(config, f"{name}_token_id", None) for name in names]
    special = {each for one in named for each in (one if isinstance(one, list) else [one])}
    usable = [each for each in range(min(size, 200)) if each not in special and each > 1]
    if len(usable) < 2:
        return None
    half = max(1, min(LENGTH, len(usable) // 2))
    first, second = usable[:half], usable[half : 2 * half]
    times = -(-LENGTH // half)
    return (first * times)[:LENGTH], (second * times)[:LENGTH]


def _vectors(module: nn.Module, row: list[int]) -> Tensor | None:
    """What the model gives for each token [T, C]: its result, else the last value of that length
    that came from an element of a list of modules."""
    found: list[Tensor] = []

    def keep(_: nn.Module, args: Any, output: Any) -> None:
        found.extend(_of_tokens(output, len(row))[:1])

    ids = torch.tensor([row], device=_device(module))
    names = input_names(module)
    named: dict[str, Any] = {"input_ids": ids} if "input_ids" in names else {}
    if named and "use_cache" in names:
        named["use_cache"] = False
    with ExitStack() as undo:
        lists = [each for each in module.modules() if isinstance(each, nn.ModuleList)]
        for part in {id(each): each for one in lists for each in one}.values():
            undo.callback(part.register_forward_hook(keep).remove)
        for part in module.modules():
            if part.training:
                undo.callback(setattr, part, "training", True)
                part.training = False
        undo.callback(observer.reset, observer.set(None))
        undo.callback(editor.reset, editor.set(None))
        undo.enter_context(torch.no_grad())
        output = module(**named) if named else module(ids)
    results = _of_tokens(output, len(row)) or found[-1:]
    return results[0][0].float() if results else None


def _of_tokens(output: Any, length: int) -> list[Tensor]:
    """The tensors [1, T, C] in what a module gave."""
    if isinstance(output, Tensor):
        output = [output]
    elif hasattr(output, "values"):
        output = list(output.values())
    if not isinstance(output, list | tuple):
        return []
    return [
        each.detach()
        for each in output
        if isinstance(each, Tensor) and each.dim() == 3 and each.shape[:2] == (1, length)
    ]


def _device(module: nn.Module) -> torch.device:
    devices = (each.device for each in module.parameters() if each.device.type != "meta")
    return next(devices, torch.device("cpu"))
