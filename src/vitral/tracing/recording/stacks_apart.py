"""Stacks of a model that read another material than the model's own input.

A model of text and pictures (CLIP, LLaVA) has a stack for each. transformers says of every model,
also of one within another, what its main input is called; a stack belongs to the innermost model
around it.
"""

from torch import nn

from vitral.tracing.recording.layers import find_layers

_MATERIALS = {"input_ids": "text", "pixel": "picture", "input_": "sound", "audio": "sound"}


def stacks_apart(module: nn.Module) -> frozenset[str]:
    """The parts, as in `Layer.part`, whose innermost model reads what `module` itself does not."""
    layers = find_layers(module)
    if len({layer.part for layer in layers}) < 2:
        return frozenset()
    modules = dict(module.named_modules())
    wanted = _material(module) or "text"
    apart = set()
    for layer in layers:
        around = layer.path.split(".")
        names = (".".join(around[:end]) for end in range(len(around), 0, -1))
        inside = (_material(modules[name]) for name in names if name in modules)
        if next((each for each in inside if each), wanted) != wanted:
            apart.add(layer.part)
    return frozenset(apart)


def _material(module: nn.Module) -> str | None:
    """What a model of transformers reads; None for a part that is no model."""
    main = getattr(module, "main_input_name", None)
    if not isinstance(main, str):
        return None
    return next((kind for start, kind in _MATERIALS.items() if main.startswith(start)), None)
