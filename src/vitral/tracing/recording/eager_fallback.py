"""Models that compute attention in a way of their own, asked for their patterns.

They go through no function that can be watched, but most can say what their weights were, if
their eager implementation runs and `output_attentions` asks for it. The patterns are then kept
as given, and the trace says so (`Trace.exactness`).
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from vitral.tracing.recording.attention_function import has_its_own_attention


@contextmanager
def patterns_returned(module: nn.Module) -> Iterator[None]:
    """While open, the parts of `module` that have attention of their own run it eagerly."""
    changed = []
    for part in module.modules():
        configuration: Any = getattr(part, "config", None)
        if has_its_own_attention(part) and hasattr(configuration, "_attn_implementation_internal"):
            changed.append((configuration, dict(vars(configuration))))
    try:
        for configuration, _ in changed:
            configuration._attn_implementation_internal = "eager"
            configuration._output_attentions = True
        yield
    finally:
        for configuration, before in reversed(changed):
            for name in ("_attn_implementation_internal", "_output_attentions"):
                if name in before:
                    setattr(configuration, name, before[name])
                else:
                    vars(configuration).pop(name, None)


def asking_for_patterns(module: nn.Module, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a forward pass, with the wish for attention weights where it is known."""
    accepted = inspect.signature(module.forward).parameters
    open_ended = any(each.kind is each.VAR_KEYWORD for each in accepted.values())
    theirs = hasattr(module, "_can_set_attn_implementation")
    if "output_attentions" in accepted or (open_ended and theirs):
        return kwargs | {"output_attentions": True}
    return kwargs
