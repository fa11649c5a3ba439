"""The modules between the last layer and the logits, as steps that a direction is mapped through.

The norms and linear maps outside the layers are watched while the model runs. What happens
between two of them to each number alone (an activation, a scale, a cap) is held still: a factor
for each number. So every step is linear at the vector that was seen, and

    logit = direction · stream + constant

exactly. In a head with an activation (BERT's) the factors are those of this very text.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.explain.frozen_norm import FrozenNorm
from vitral.explain.rerun import run_again
from vitral.tracing.recording.inputs import vectors_like
from vitral.tracing.recording.layers import find_layers, is_linear, is_norm
from vitral.tracing.trace import Trace


@dataclass(frozen=True, eq=False)
class _Seen:
    module: nn.Module
    read: Tensor  # [in] at the place asked about
    gave: Tensor  # [out]


def pulled_from_logit(
    trace: Trace,
    module: nn.Module,
    part: str,
    token: int,
    number: int,
    stream: Tensor,
    against: int | None = None,
) -> tuple[Tensor, float]:
    """The direction [C] at the last layer's output of the logit of id `number` at `token`, and
    the constant; or of that logit less the one of `against`. `stream` is that output at the token.

    Raises VitralError `attribution_not_available` if the steps do not lead from one to another.
    """
    steps, logits = _watched(trace, module, part, token)
    value = logits
    direction = torch.zeros(len(logits), dtype=torch.float64)
    direction[number] += 1
    if against is not None:
        direction[against] -= 1
    constant = 0.0
    for step in reversed(steps):
        direction = direction * _factor(step.gave, value, trace)
        if is_norm(step.module):
            frozen = FrozenNorm.at(step.module, step.read)
            if frozen is None:
                raise VitralError("attribution_not_available", address="logits", model=trace.model)
            constant += float(direction @ frozen.shift)
            direction = frozen.pulled(direction)
        else:
            constant += float(direction @ _linear(step.module, torch.zeros_like(step.read)))
            direction = _pulled_through(step.module, step.read, direction)
        value = step.read
    return direction * _factor(stream, value, trace), constant


def _watched(trace: Trace, module: nn.Module, part: str, token: int) -> tuple[list[_Seen], Tensor]:
    """What the norms and linear maps behind the last layer read and gave, and the logits."""
    inside = {id(each) for layer in find_layers(module) for each in layer.module.modules()}
    last = trace.num_blocks(part) - 1
    steps: list[_Seen] = []
    done = False

    def after(number: int, *_: Any) -> None:
        nonlocal done
        done = number >= last

    def see(each: nn.Module, args: Any, output: Tensor) -> None:
        read = args[0] if args else None
        if done and isinstance(read, Tensor) and read.dim() == 3 and read.shape[1] > token:
            pair = (value[0, token].double().cpu() for value in (read, output))
            steps.append(_Seen(each, *pair))

    hooks = [
        each.register_forward_hook(see)
        for each in module.modules()
        if id(each) not in inside and (is_norm(each) or is_linear(each))
    ]
    try:
        _, logits = run_again(trace, module, part, after)
    finally:
        for hook in hooks:
            hook.remove()
    return steps, logits[0, token].double().cpu()


def _factor(before: Tensor, after: Tensor, trace: Trace) -> Tensor:
    """What each number was multiplied by between two steps."""
    same_size = before.shape == after.shape
    if not same_size or bool(((before == 0) & (after.abs() > 1e-6)).any()):
        raise VitralError("attribution_not_available", address="logits", model=trace.model)
    return torch.where(before == 0, 0.0, after / torch.where(before == 0, 1.0, before))


def _linear(module: nn.Module, vector: Tensor) -> Tensor:
    like = vectors_like(module)
    with torch.no_grad():
        given: Tensor = module(vector.to(like.device, like.dtype)[None])[0]
    return given.double().cpu()


def _pulled_through(module: nn.Module, vector: Tensor, direction: Tensor) -> Tensor:
    """Wᵀ·direction, whatever the layout of the weights: the gradient of direction · W x."""
    like = vectors_like(module)
    scale = direction.abs().max().clamp(min=1e-300)
    with torch.enable_grad():
        x = vector.to(like.device, like.dtype)[None].requires_grad_()
        with suppress(RuntimeError, NotImplementedError):  # a kernel of whole numbers has none
            result = (module(x)[0] * (direction / scale).to(like.device, like.dtype)).sum()
            [gradient] = torch.autograd.grad(result, [x])
            return gradient[0].double().cpu() * scale
    bias = _linear(module, torch.zeros_like(vector))
    pulled = [
        torch.stack([_linear(module, unit) - bias for unit in some]) @ direction
        for some in torch.split(torch.eye(len(vector), dtype=torch.float64), 64)
    ]
    return torch.cat(pulled)
