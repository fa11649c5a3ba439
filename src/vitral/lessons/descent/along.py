"""A decoder's loss on a text, along the straight line that its gradient points down."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from vitral.errors import VitralError
from vitral.lessons.models import borrow_model

if TYPE_CHECKING:
    from torch import Tensor, nn

Loss = Callable[["dict[str, Tensor]"], "Tensor"]


@contextmanager
def loss_of(name: str, text: str) -> "Iterator[tuple[Loss, dict[str, Tensor], nn.Module]]":
    """The mean next-token loss, in nats, as a function of the weights; the model's own
    weights; and the module itself.

    Raises VitralError: lesson_model_unsuited (when the loss is asked) for a model that gives no
    next-token predictions, lesson_text_short, and what opening the model and reading raise.
    """
    import torch
    from torch.func import functional_call
    from torch.nn import functional as F

    with borrow_model(name) as model, torch.enable_grad():
        arguments, named = model.arguments(text)
        module = model.module
        ids = named["input_ids"] if "input_ids" in named else arguments[0]
        if ids.shape[-1] < 2:
            raise VitralError("lesson_text_short")

        def loss(at: dict[str, torch.Tensor]) -> torch.Tensor:
            output = functional_call(module, at, arguments, named)
            logits = output if isinstance(output, torch.Tensor) else getattr(output, "logits", None)
            if logits is None or logits.shape[:-1] != ids.shape:
                raise VitralError("lesson_model_unsuited", model=name)
            return F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), ids[:, 1:].flatten())

        yield (
            loss,
            {key: w.detach().float().requires_grad_() for key, w in module.named_parameters()},
            module,
        )


def _gradients(loss: Loss, weights: "dict[str, Tensor]") -> "dict[str, Tensor]":
    """By weight; what the loss does not depend on is left out."""
    import torch

    found = torch.autograd.grad(loss(weights), list(weights.values()), allow_unused=True)
    return {key: slope for key, slope in zip(weights, found, strict=True) if slope is not None}


@lru_cache(maxsize=16)
def losses_along(name: str, text: str, rates: tuple[float, ...]) -> tuple[float, ...]:
    """A decoder's loss with every weight w at w − η·gradient, for each rate η. The model itself
    stays as it is.

    Raises VitralError: lesson_model_unsuited for a model that gives no next-token predictions,
    lesson_text_short, and what opening the model and reading the text raise.
    """
    import torch

    with loss_of(name, text) as (loss, weights, _):
        slopes = _gradients(loss, weights)
        found = []
        with torch.no_grad():
            for rate in rates:
                moved = {
                    key: w - rate * slopes[key] if key in slopes else w
                    for key, w in weights.items()
                }
                found.append(float(loss(moved)))
    return tuple(found)


@lru_cache(maxsize=16)
def text_gradient(name: str, text: str) -> tuple[float, int]:
    """The length of the loss's gradient, and how many weights there are. Raises the same."""
    with loss_of(name, text) as (loss, weights, _):
        slopes = _gradients(loss, weights)
        length = sum(float(slope.double().square().sum()) for slope in slopes.values()) ** 0.5
        return length, sum(w.numel() for w in weights.values())
