"""What stands inside a wrapper: `nn.DataParallel`, an adapter's model, any module that holds one.

A wrapper has no configuration of its own, and a signature that says nothing (`*args, **kwargs`).
Layers, context and the names of its inputs are those of the model within. Where a wrapper holds
several models that are described differently, none of them speaks for it.

    >>> model_inside(nn.DataParallel(bert)) is bert
    True
"""

from inspect import Parameter, signature

from torch import nn


def model_inside(module: nn.Module) -> nn.Module:
    """The one model within `module` that has a configuration; `module` itself if it has one, or
    holds none or several."""
    if is_described(module):
        return module
    found = _outermost(module)
    return _largest(found) if len({id(each.config) for each in found}) == 1 else module


def is_described(module: nn.Module) -> bool:
    """Whether a configuration says what the module is: ours, or one of transformers."""
    config = getattr(module, "config", None)
    return any(
        isinstance(getattr(config, name, None), str) for name in ("model_type", "architecture")
    )


def input_names(module: nn.Module) -> tuple[str, ...]:
    """The names of what `module` reads, in their order; behind `*args, **kwargs` those of the
    model that stands inside."""
    accepted = signature(module.forward).parameters.values()
    names = [each.name for each in accepted if each.kind not in _OPEN]
    theirs = type(module).__module__.startswith("transformers.")
    if not theirs and any(each.kind is Parameter.VAR_KEYWORD for each in accepted):
        inside = _next_inside(module)
        if inside is not None:
            names += [name for name in input_names(inside) if name not in names]
    return tuple(names)


def _next_inside(module: nn.Module) -> nn.Module | None:
    """What a wrapper passes its inputs on to: the described model within, or its one module."""
    found = _outermost(module)
    if len({id(each.config) for each in found}) == 1:
        return _largest(found)
    held = [child for child in module.children() if any(True for _ in child.children())]
    return held[0] if len(held) == 1 else None


_OPEN = (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)


def _outermost(module: nn.Module) -> list[nn.Module]:
    """The described modules within that stand in no other described one."""
    found: list[nn.Module] = []
    for child in module.children():
        found += [child] if is_described(child) else _outermost(child)
    return found


def _largest(modules: list[nn.Module]) -> nn.Module:
    return max(modules, key=lambda each: sum(1 for _ in each.modules()))
