"""What each layer of a decoder gives while it reads a text, and the loss's gradient there."""

from functools import lru_cache
from typing import Any

from vitral.errors import VitralError
from vitral.lessons.deep_layers.network import root_mean_square
from vitral.lessons.descent.along import loss_of


@lru_cache(maxsize=16)
def layers_of_model(name: str, text: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The root mean square of each layer's output, and of the next-token loss's gradient there.

    Raises VitralError: lesson_model_unsuited for a model whose layers are not found, and what
    `loss_of` raises.
    """
    import torch

    from vitral.tracing.recording.layers import find_layers

    with loss_of(name, text) as (loss, weights, module):
        given: list[torch.Tensor] = []

        def keep(layer: Any, taken: Any, gave: Any) -> None:
            given.append(gave[0] if isinstance(gave, tuple) else gave)

        found = find_layers(module)
        hooks = [module.get_submodule(layer.path).register_forward_hook(keep) for layer in found]
        try:
            value = loss(weights)
        finally:
            for hook in hooks:
                hook.remove()
        if len(given) < 2:
            raise VitralError("lesson_model_unsuited", model=name)
        slopes = torch.autograd.grad(value, given)
        return tuple(map(root_mean_square, given)), tuple(map(root_mean_square, slopes))
