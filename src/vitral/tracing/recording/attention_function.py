"""Routing a Hugging Face model's attention through Vitral's function, for as long as a trace runs.

Transformers looks the attention function up by a name in each configuration of the model
(`AttentionInterface`), and the function that builds the masks by the same name
(`AttentionMaskInterface`). Vitral registers its own, and writes their name into the
configurations while a trace is taken.

Some models compare the name, and do one thing for "sdpa" and another for unknown names. So the
name equals that of the implementation that it replaces: "sdpa", or, in models that have no other,
"eager". The two differ in their masks. Masks of "sdpa" are boolean, and None for plain causal or
bidirectional attention; a model that has only "eager" may not expect None, and gets full masks.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.nn.scaled_dot_product import scaled_dot_product_attention

_UNDERSTOOD = frozenset({"query", "key", "value", "attention_mask", "position_bias"})
_FIELD = "_attn_implementation_internal"


class Name(str):
    """A name with its own hash, under which Vitral is registered, that also equals another name."""

    stands_for: str

    def __new__(cls, name: str, stands_for: str) -> "Name":
        made = super().__new__(cls, name)
        made.stands_for = stands_for
        return made

    def __eq__(self, other: object) -> bool:
        return other == self.stands_for or str.__eq__(self, other) is True

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__

    def __reduce__(self) -> tuple[Any, ...]:  # T5 copies its configuration
        return Name, (str(self), self.stands_for)


NAME = Name("vitral", "sdpa")
NAME_WITH_MASKS = Name("vitral-with-masks", "eager")


@contextmanager
def attention_through_vitral(module: nn.Module) -> Iterator[None]:
    """While open, every configuration in `module` names Vitral's attention function.

    Modules that are not from transformers are not changed: Vitral's own call the function
    directly. Each configuration gets its former name back, also after an exception.
    """
    configurations, explicit = _configurations(module)
    if configurations:
        register()
    names: dict[int, str] = {
        key: NAME_WITH_MASKS if key in explicit else NAME for key in configurations
    }
    with _named(configurations, names):
        yield


@contextmanager
def eager_attention(module: nn.Module) -> Iterator[None]:
    """While open, every configuration in `module` names transformers' "eager" attention."""
    configurations, _ = _configurations(module)
    with _named(configurations, dict.fromkeys(configurations, "eager")):
        yield


def has_its_own_attention(part: nn.Module) -> bool:
    """Whether it is a model of transformers whose code looks up no attention function.

    Some of these fail with an unknown name (MPT), so theirs is not changed.
    """
    settable = getattr(part, "_can_set_attn_implementation", None)
    theirs = type(part).__module__.startswith("transformers.")
    return theirs and settable is not None and not settable()


def register() -> None:
    """Register Vitral's function with transformers, under both names, once."""
    assert "transformers" in sys.modules, "a configuration of transformers without transformers"
    from transformers.masking_utils import AttentionMaskInterface, eager_mask, sdpa_mask
    from transformers.modeling_utils import AttentionInterface

    AttentionInterface.register(str(NAME), _attention)
    AttentionMaskInterface.register(str(NAME), sdpa_mask)
    AttentionInterface.register(str(NAME_WITH_MASKS), _attention_with_masks)
    AttentionMaskInterface.register(str(NAME_WITH_MASKS), eager_mask)


def _attention(module: nn.Module | None, *args: Any, **kwargs: Any) -> tuple[Tensor, None]:
    for name, value in kwargs.items():
        if isinstance(value, Tensor) and value.dim() == 4 and name not in _UNDERSTOOD:
            # An argument of every query, such as a sink: results without it would be wrong.
            raise VitralError("not_traceable", model=type(module).__name__, reason=name)
    # What the function calls inside must not be reported as another attention.
    with torch._C.DisableTorchFunction():
        return scaled_dot_product_attention(module, *args, **kwargs)


def _attention_with_masks(
    module: nn.Module | None, *args: Any, **kwargs: Any
) -> tuple[Tensor, None]:
    """As eager attention, which is causal only through its mask."""
    return _attention(module, *args, **kwargs | {"is_causal": False})


def _configurations(module: nn.Module) -> tuple[dict[int, Any], set[int]]:
    """The configurations whose attention can be chosen, by id; and which need masks written out."""
    found: dict[int, Any] = {}
    fixed: set[int] = set()
    explicit: set[int] = set()
    for part in module.modules():
        configuration = getattr(part, "config", None)
        if configuration is not None and hasattr(configuration, _FIELD):
            found[id(configuration)] = configuration
            if has_its_own_attention(part):
                fixed.add(id(configuration))
            if not getattr(part, "_supports_sdpa", True):
                explicit.add(id(configuration))
    return {key: each for key, each in found.items() if key not in fixed}, explicit


@contextmanager
def _named(configurations: dict[int, Any], names: dict[int, str]) -> Iterator[None]:
    former = {key: each.__dict__[_FIELD] for key, each in configurations.items()}
    try:
        for key, each in configurations.items():
            setattr(each, _FIELD, names[key])
        yield
    finally:
        for key, each in configurations.items():
            setattr(each, _FIELD, former[key])
