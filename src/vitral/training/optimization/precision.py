"""How finely a run computes: 32 bits, or 16 where that is enough.

With *autocast* the products run in 16 bits while the weights, the optimiser and the sums stay
in 32 (Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740). *bfloat16* has float32's
range. *float16* has not: small gradients would become zero, so the loss is scaled up before the
backward pass and the gradients down after it, by a factor that doubles while all goes well and
halves when something overflows; that step is then left out.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

LEAST_SCALE = 1.0
"""Gradients that overflow at this scale are wrong, not large."""

_NAMES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class Precision:
    """Autocast, and the scaling that float16 needs, on one kind of device."""

    def __init__(self, name: str, device: torch.device) -> None:
        self._dtype, self._device = _NAMES.get(name), device
        self._scaler = torch.amp.GradScaler(device.type, enabled=name == "float16")

    def autocast(self) -> AbstractContextManager[Any]:
        if self._dtype is None:
            return nullcontext()
        return torch.autocast(self._device.type, self._dtype)

    def backward(self, loss: Tensor) -> None:
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]

    def gradients_as_they_are(self, optimizers: list[torch.optim.Optimizer]) -> None:
        """Unscale the gradients, before they are clipped or measured."""
        if self._scaler.is_enabled():
            for optimizer in optimizers:
                self._scaler.unscale_(optimizer)

    def step(self, optimizers: list[torch.optim.Optimizer], *, finite: bool = True) -> None:
        """Step, unless the gradients are not finite: then none of the optimisers does."""
        if finite:
            for optimizer in optimizers:
                self._scaler.step(optimizer)
        self._scaler.update()

    @property
    def may_overflow(self) -> bool:
        """Whether gradients that are not finite are no fault, only a step to leave out. Where
        they overflow hardly scaled at all, it is one."""
        return self._scaler.is_enabled() and self._scaler.get_scale() > LEAST_SCALE

    @property
    def state(self) -> dict[str, Any]:
        """The state for a checkpoint."""
        return dict(self._scaler.state_dict())

    @state.setter
    def state(self, saved: dict[str, Any]) -> None:
        if saved:
            self._scaler.load_state_dict(saved)
