"""Which model a recipe trains: the entry `model`, its form and its size.

Each form's shape is in the file of its model; here they become one choice, by the entry `form`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Union

from pydantic import AfterValidator, Field
from torch import nn

from vitral.models.forms import every_form, form_named
from vitral.models.shape import Shape as AnyShape
from vitral.training.recipes.mistakes import ContradictionError, Mistake


def _names_of(kind: str) -> tuple[str, ...]:
    return tuple(each.name for each in every_form() if each.kind == kind)


DECODERS = _names_of("decoder")
ENCODERS = _names_of("encoder")
TRANSLATORS = _names_of("encoder-decoder")
GROWING = tuple(each.name for each in every_form() if each.grows is not None)
"""Forms that may start with fewer layers (`growth`)."""

WATCHED = tuple(each.name for each in every_form() if each.looks_at_itself)
"""Forms in which one sentence's attention can be watched: those with self-attention only."""


def _divides(shape: AnyShape) -> AnyShape:
    """Raises `ContradictionError` with all that does not divide as it has to."""
    wrong = [
        Mistake(
            each.entry, "no_multiple", {"value": each.value, "of": each.of, "other": each.other}
        )
        for each in shape.not_multiples()
    ]
    if wrong:
        raise ContradictionError(*wrong)
    return shape


if TYPE_CHECKING:
    Shape = AnyShape
else:
    Shape = Annotated[
        Union[tuple(each.shape for each in every_form())],  # noqa: UP007
        Field(discriminator="form"),
        AfterValidator(_divides),
    ]


def build_model(
    shape: AnyShape,
    vocab_size: int,
    num_layers: int | None = None,
    marks: Mapping[str, int] = MappingProxyType({}),
) -> nn.Module:
    """A model of that shape (or of so many layers of it) with random weights. `marks` are the
    ids of the special tokens that the form's configuration names (`Form.marks`)."""
    entries = shape.config_entries() | {"vocab_size": vocab_size, **marks}
    if num_layers is not None:
        entries["num_layers"] = num_layers
    form = form_named(shape.form)
    return form.model(form.config(**entries))
