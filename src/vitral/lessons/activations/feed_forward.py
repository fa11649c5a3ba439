"""What arrives at the activations of a model's feed-forward parts, while it reads a text."""

from functools import lru_cache
from typing import Any

from vitral.errors import VitralError
from vitral.lessons.models import borrow_model

WIDENING = (
    "gate_proj", "up_proj", "c_fc", "fc1", "lin1", "dense_h_to_4h", "intermediate.dense", "Wi",
)  # fmt: skip
"""What the linear map before the activation is called, the gate of a gated part first."""

ACTIVATION_ENTRIES = ("activation", "hidden_act", "hidden_activation", "activation_function")
"""Where a configuration names its activation."""


def before_activation(name: str, text: str, layer: int) -> tuple[str, int, list[float]]:
    """The activation's name, the layer (the last, where there are fewer), and the numbers of all
    tokens and units.

    Raises VitralError: lesson_model_unsuited for a model whose feed-forward parts are not found,
    and what opening the model and reading the text raise.
    """
    with borrow_model(name) as model:
        maps = _widening_maps(model.module)
        if not maps:
            raise VitralError("lesson_model_unsuited", model=name)
        at = min(layer, len(maps) - 1)
        found: list[Any] = []
        hook = maps[at].register_forward_hook(
            lambda module, taken, gave: found.append(gave.detach().float().flatten().cpu())
        )
        try:
            model.trace(text)
        finally:
            hook.remove()
        if not found:
            raise VitralError("lesson_model_unsuited", model=name)
        config = getattr(model.module, "config", None)
        said = [getattr(config, entry, None) for entry in ACTIVATION_ENTRIES]
        activation = next((str(each) for each in said if each), "?")
        return activation, at, [float(number) for number in found[0]]


@lru_cache(maxsize=4)
def _widening_maps(module: Any) -> list[Any]:
    """The maps before the activations, a layer each, in their order."""
    for ending in WIDENING:
        found = [each for name, each in module.named_modules() if name.endswith(ending)]
        if found:
            return found
    return []
