"""The patterns that a model's own eager attention computes, with which traces are compared.

Transformers' eager attention functions return the weights with the output. While
`eager_patterns` is open, every configuration of the model requests them, and each is kept with
the module that computed it, also those that the model itself discards.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn

from vitral.nn.attention_call import AttentionCall, observer
from vitral.nn.scaled_dot_product import explicit_attention
from vitral.tracing.recording.attention_function import eager_attention

Seen = list[tuple[nn.Module | None, Tensor]]

_seen: ContextVar[Seen | None] = ContextVar("eager_patterns", default=None)
_lock = Lock()
_num_open = 0


@contextmanager
def eager_patterns(module: nn.Module) -> Iterator[Seen]:
    """While open, attention of `module` is eager, and the list given grows by each pattern.

    An entry is the attention module and its weights [B, H, T, S], in the order of computation.
    """
    seen: Seen = []
    with eager_attention(module), _watched():
        token = _seen.set(seen)
        try:
            yield seen
        finally:
            _seen.reset(token)


@contextmanager
def explicit_patterns() -> Iterator[Seen]:
    """The same for Vitral's own models, by the equation of attention."""
    writer = _Explicit()
    token = observer.set(writer)
    try:
        yield writer.seen
    finally:
        observer.reset(token)


class _Explicit:
    def __init__(self) -> None:
        self.seen: Seen = []

    def observe_attention(self, call: AttentionCall) -> None:
        _, weights = explicit_attention(
            call.query,
            call.key,
            call.value,
            call.mask,
            bias=call.bias,
            scaling=call.scaling,
            is_causal=call.is_causal,
            softcap=call.softcap,
            sinks=call.sinks,
        )
        self.seen.append((call.module, weights.detach()))

    def observe_pattern(self, module: nn.Module, pattern_BHTS: Tensor) -> None:
        """These weights were recorded as computed: there is nothing to compare."""


@contextmanager
def _watched() -> Iterator[None]:
    """While open, the functions that transformers looks up report their results to `_seen`.

    In other threads, these functions do what they always do.
    """
    global _num_open
    from transformers.modeling_utils import AttentionInterface

    with _lock:
        _num_open += 1
        if _num_open == 1:
            found = AttentionInterface.get_interface
            AttentionInterface.get_interface = _telling(found)
            AttentionInterface.untold_interface = found
    try:
        yield
    finally:
        with _lock:
            _num_open -= 1
            if _num_open == 0:
                AttentionInterface.get_interface = AttentionInterface.untold_interface
                del AttentionInterface.untold_interface


def _additive(mask: Any, query: Tensor) -> Any:
    """A mask for functions that add it. Grounding DINO gives its text model a boolean one, to
    which eager attention, unlike the fused kernels, would add as 1 for visible keys."""
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        return mask
    return torch.zeros_like(mask, dtype=query.dtype).masked_fill(~mask, float("-inf"))


def _telling(get_interface: Callable[..., Any]) -> Callable[..., Any]:
    def get(self: Any, name: str, default: Any) -> Any:
        function = get_interface(self, name, default)
        if _seen.get() is None:
            return function

        def call(module: nn.Module | None, *args: Any, **kwargs: Any) -> Any:
            if len(args) > 3:
                args = (*args[:3], _additive(args[3], args[0]), *args[4:])
            result = function(module, *args, **kwargs)
            seen = _seen.get()
            if seen is not None and isinstance(result[1], Tensor):
                seen.append((module, result[1].detach()))
            return result

        return call

    return get
