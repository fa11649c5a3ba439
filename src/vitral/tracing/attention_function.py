"""Sending a Hugging Face model's attention through Vitral's function, and back.

Transformers looks the attention function up by a name in each configuration of the model
(`AttentionInterface`), and the function that builds the masks by the same name
(`AttentionMaskInterface`). Vitral registers its own under one name, and writes that name into
the configurations while a trace is taken.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from vitral.nn.scaled_dot_product import scaled_dot_product_attention

NAME = "vitral"
_FIELD = "_attn_implementation_internal"


@contextmanager
def attention_through_vitral(module: nn.Module) -> Iterator[None]:
    """While open, every configuration in `module` names Vitral's attention function.

    Modules that are none of transformers' are left alone: Vitral's own call the function
    directly. Whatever happens inside, each configuration gets its former name back.
    """
    if any(hasattr(getattr(part, "config", None), _FIELD) for part in module.modules()):
        register()
    with attention_named(module, NAME):
        yield


@contextmanager
def attention_named(module: nn.Module, name: str) -> Iterator[None]:
    """While open, every configuration in `module` names that attention function."""
    configurations: dict[int, Any] = {}
    fixed: set[int] = set()
    for part in module.modules():
        configuration = getattr(part, "config", None)
        if configuration is not None and hasattr(configuration, _FIELD):
            configurations[id(configuration)] = configuration
            if _has_its_own_attention(part):
                fixed.add(id(configuration))
    configurations = {key: each for key, each in configurations.items() if key not in fixed}
    former = [(each, each.__dict__[_FIELD]) for each in configurations.values()]
    try:
        for each, _ in former:
            setattr(each, _FIELD, name)
        yield
    finally:
        for each, earlier in former:
            setattr(each, _FIELD, earlier)


def _has_its_own_attention(part: nn.Module) -> bool:
    """Whether it is a model of transformers whose code looks up no attention function.

    The name of one that it does not know makes some of these fail (MPT); they are left to run
    their own way, and that nothing is seen of them is then said.
    """
    settable = getattr(part, "_can_set_attn_implementation", None)
    theirs = type(part).__module__.startswith("transformers.")
    return theirs and settable is not None and not settable()


def register() -> None:
    """Make Vitral's function known to transformers, under `NAME`; once is enough.

    The masks it gets are those of "sdpa": boolean, and none at all where the plain causal or
    bidirectional rule holds.
    """
    assert "transformers" in sys.modules, "a configuration of transformers without transformers"
    from transformers.masking_utils import AttentionMaskInterface, sdpa_mask
    from transformers.modeling_utils import AttentionInterface

    AttentionInterface.register(NAME, scaled_dot_product_attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
