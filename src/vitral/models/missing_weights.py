"""Weights that a folder does not have, and that nothing needs which a trace shows.

Encoders are often saved without the pooler that BERT had for its second task; every sentence
encoder is. Whether a missing part is needed is measured: the model is run, and once more with
other weights in that part. Where the layers and the result stay the same to the last bit, the part
is left out, and Vitral says so.
"""

import logging
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from vitral.messages import message
from vitral.models.wrapped import input_names

LENGTH = 4
"""Tokens that are read to find out."""


def leave_out(module: nn.Module, missing: list[str], name: str) -> bool:
    """Leave the weights of these names out of `module`; False, with the module as it was, where
    something that is shown needs them, or where that cannot be found out."""
    weights = {each: weight for each, weight in module.named_parameters() if each in missing}
    if len(weights) != len(missing):  # buffers: no part of their own
        return False
    if not all(weight.is_floating_point() for weight in weights.values()):
        return False
    shown = _shown(module)
    if shown is None:
        return False
    before = {each: weight.detach().clone() for each, weight in weights.items()}
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in weights.values():
            weight.copy_(torch.randn(weight.shape, generator=generator))
        needed = not _are_same(shown, _shown(module))
        for each, weight in weights.items():
            weight.copy_(before[each])
    if needed:
        return False
    parts = sorted({_whole_part(module, each, missing) for each in missing})
    for part in parts:
        _take_out(module, part, shown)
    said = message("cli.weights_left_out", model=name, parts=", ".join(parts))
    logging.getLogger("vitral").warning(said)
    return True


def _whole_part(module: nn.Module, weight: str, missing: list[str]) -> str:
    """The largest part around a weight of which all weights are missing."""
    path = weight
    while path:
        around = path.rpartition(".")[0]
        inside = {f"{around}.{each}" for each, _ in module.get_submodule(around).named_parameters()}
        if not around or not inside <= {*missing}:
            return path
        path = around
    return weight


def _take_out(module: nn.Module, part: str, shown: list[Tensor]) -> None:
    """None in the part's place, where the model can do without it (`pooler = None`)."""
    around, _, name = part.rpartition(".")
    parent = module.get_submodule(around)
    held = parent._modules.get(name)
    if held is None:
        return
    setattr(parent, name, None)
    if not _are_same(shown, _shown(module)):
        setattr(parent, name, held)


def _are_same(first: list[Tensor], second: list[Tensor] | None) -> bool:
    return second is not None and len(first) == len(second) and all(map(torch.equal, first, second))


def _shown(module: nn.Module) -> list[Tensor] | None:
    """All that is shown of a run: what the layers give, and the result; None where it fails."""
    inputs = _inputs(module)
    if inputs is None:
        return None
    found: list[Tensor] = []

    def keep(_: nn.Module, args: Any, output: Any) -> None:
        found.extend(each.clone() for each in _tensors(output))

    with ExitStack() as undo:
        for part in module.modules():
            if isinstance(part, nn.ModuleList):
                for each in part:
                    undo.callback(each.register_forward_hook(keep).remove)
            if part.training:
                undo.callback(setattr, part, "training", True)
                part.training = False
        undo.enter_context(torch.no_grad())
        try:
            output = module(**inputs)
        except Exception:  # a model that reads something else fails in as many ways as there are
            return None
    result = getattr(output, "logits", None)
    result = getattr(output, "last_hidden_state", None) if result is None else result
    return found + _tensors(output[0] if result is None else result)


def _inputs(module: nn.Module) -> dict[str, Tensor] | None:
    """Something that the model reads: a few ids, or a grey picture."""
    config: Any = getattr(module, "config", None)
    names = input_names(module)
    if getattr(module, "main_input_name", "") == "pixel_values":
        size, channels = getattr(config, "image_size", None), getattr(config, "num_channels", 3)
        if not isinstance(size, int | tuple | list):
            return None
        height, width = (size, size) if isinstance(size, int) else size[:2]
        return {"pixel_values": torch.zeros(1, channels, height, width)}
    if "input_ids" not in names:
        return None
    size = getattr(config, "vocab_size", 0) or 0
    ids = torch.tensor([[max(0, size - 1 - place) for place in range(LENGTH)]])
    given = {"input_ids": ids}
    return given | {"decoder_input_ids": ids} if "decoder_input_ids" in names else given


def _tensors(output: Any) -> list[Tensor]:
    if isinstance(output, Tensor):
        return [output]
    if hasattr(output, "values"):
        output = list(output.values())
    return (
        [each for each in output if isinstance(each, Tensor)]
        if isinstance(output, list | tuple)
        else []
    )
