"""Running a model again on the tokens of a trace, with a change between its layers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.models.description import number, reads
from vitral.tracing.recording.forward_pass import result_of
from vitral.tracing.recording.inputs import arguments, pad
from vitral.tracing.recording.layers import find_layers
from vitral.tracing.recording.reading_pairs import token_types
from vitral.tracing.trace import Trace

Change = Callable[[int, nn.Module, Any, dict[str, Any], Any], Any]
"""Called after each layer with its number, module, arguments and output; returns another output."""


def inputs_of(trace: Trace, module: nn.Module) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with which `module` reads the trace's tokens again.

    Raises VitralError `rerun_not_available` for a model that reads no tokens, and
    `model_not_of_trace` for ids that it does not know.
    """
    if reads(module) == "picture":
        raise VitralError("rerun_not_available", model=trace.model)
    known = number(module, "vocab_size")
    read = [token.id for token in trace.tokens if not token.virtual]
    ids = [*read, *(token.id for token in trace.decoder_tokens if not token.virtual)]
    if min(ids) < 0 or (known is not None and max(ids) >= known):
        raise VitralError("model_not_of_trace", model=type(module).__name__, trace=trace.model)
    batch = pad([read], 0)
    decoder = None
    if trace.decoder_tokens:
        decoder = pad([[token.id for token in trace.decoder_tokens if not token.virtual]], 0)
    types = token_types(module, trace.tokens)
    return arguments(module, batch, decoder, {name: each[None] for name, each in types.items()})


@contextmanager
def quiet(module: nn.Module) -> Iterator[None]:
    """While open, the module is in eval mode; afterwards each part is as it was."""
    modes = [(each, each.training) for each in module.modules()]
    try:
        for each, _ in modes:
            each.training = False
        yield
    finally:
        for each, mode in modes:
            each.training = mode


def run_again(trace: Trace, module: nn.Module, part: str, change: Change) -> tuple[str, Tensor]:
    """Run the module on the trace's tokens; `change` is called after each layer of `part`.

    `change` returns None to keep the layer's output. Returns the result's address and
    value [1, T, …]. Layers are counted as they are entered, as in addresses.
    """
    place, busy = 0, False

    def after(layer: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
        nonlocal place, busy
        if busy:  # `change` itself runs the layer
            return None
        busy = True
        try:
            changed = change(place, layer, args, kwargs, output)
        finally:
            busy = False
        place += 1
        return changed

    distinct = {id(each.module): each.module for each in find_layers(module) if each.part == part}
    hooks = [each.register_forward_hook(after, with_kwargs=True) for each in distinct.values()]
    args, named = inputs_of(trace, module)
    try:
        with quiet(module), torch.no_grad():
            address, value = result_of(module, module(*args, **named))
    finally:
        for hook in hooks:
            hook.remove()
    if value is None:
        raise VitralError("rerun_not_available", model=trace.model)
    return address, value


def with_first(output: Any, stream: Tensor) -> Any:
    """A layer's output with another residual stream in it."""
    if isinstance(output, Tensor):
        return stream.to(output).reshape(output.shape)
    first = next(place for place, each in enumerate(output) if isinstance(each, Tensor))
    changed = stream.to(output[first]).reshape(output[first].shape)
    return type(output)((*output[:first], changed, *output[first + 1 :]))


def first_of(output: Any) -> Tensor:
    """The residual stream in a layer's output: its first tensor."""
    if isinstance(output, Tensor):
        return output
    found: Tensor = next(each for each in output if isinstance(each, Tensor))
    return found
