"""Compiled parts of a model run uncompiled while they are recorded or edited.

A compiled block is a sequence of kernels in which no module is called: nothing of it could be
recorded or edited, and the trace would look complete without it. Uncompiled, the same code runs;
its results differ only by the rounding of the fused kernels.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import nn


@contextmanager
def as_written(module: nn.Module) -> Iterator[None]:
    """While open, every compiled part of `module` (`block.compile()`, `torch.compile(block)`,
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
    """The original of a compiled `forward`; None if it is not compiled."""
    return getattr(forward, "_torchdynamo_orig_callable", None)
