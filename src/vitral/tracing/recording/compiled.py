"""Compiled parts of a model, run as they are written while somebody watches.

A compiled block is one kernel after another in which no module is called: nothing of it could be
seen or edited, and the layers around it would look complete. The same code runs uncompiled; what
it gives differs by no more than the rounding of the fused kernels.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import nn


@contextmanager
def as_written(module: nn.Module) -> Iterator[None]:
    """While open, whatever of `module` was compiled (`block.compile()`, `torch.compile(block)`,
    a compiled `forward`) runs uncompiled; afterwards it is compiled as before."""
    with ExitStack() as undo:
        for part in module.modules():
            kept = part.__dict__
            if kept.get("_compiled_call_impl") is not None:
                undo.callback(kept.__setitem__, "_compiled_call_impl", kept["_compiled_call_impl"])
                kept["_compiled_call_impl"] = None
            original = _uncompiled(kept.get("forward"))
            if "_orig_mod" in part._modules:  # what torch.compile puts around a module
                original = part._modules["_orig_mod"]
            if original is not None:
                undo.callback(kept.__setitem__, "forward", kept["forward"])
                kept["forward"] = original
        yield


def written(module: nn.Module) -> nn.Module:
    """The module within what torch.compile puts around it."""
    within = module._modules.get("_orig_mod")
    return module if within is None else within


def _uncompiled(forward: Any) -> Any:
    """What a compiled `forward` was made of; None where it is not compiled."""
    return getattr(forward, "_torchdynamo_orig_callable", None)
