"""Which model a recipe trains: the entry `model`, its form and its size.

Each form's shape is in the file of its model; here they become one choice, by the entry `form`.
Two more are for models of transformers' own classes, a decoder's and an encoder's.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Literal, Union

from pydantic import AfterValidator, Field
from torch import nn

from vitral.models.forms import every_form, form_named
from vitral.models.shape import Depth, Places
from vitral.models.shape import Shape as AnyShape
from vitral.training.recipes.mistakes import ContradictionError, Mistake


def _names_of(kind: str) -> tuple[str, ...]:
    return tuple(each.name for each in every_form() if each.kind == kind)


DECODERS = _names_of("decoder")
ENCODERS = _names_of("encoder")
TRANSLATORS = _names_of("encoder-decoder")
GROWING = tuple(each.name for each in every_form() if each.grows is not None)
"""Forms that may start with fewer layers (`growth`)."""

WATCHED = (
    *(each.name for each in every_form() if each.looks_at_itself),
    "other_decoder",
    "other_encoder",
)
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


OTHER_DECODER, OTHER_ENCODER = "other_decoder", "other_encoder"
OTHERS = (OTHER_DECODER, OTHER_ENCODER)
"""Models that a run can only start from, by transformers' own class (`models.by_own_class`)."""


class OtherShape(AnyShape):
    """What a recipe says of a model that no form of ours can express: the most tokens that the
    run reads at once, and how many layers it has. All else is the model's own."""

    context: Places = 256
    num_layers: Depth = 6


class OtherDecoder(OtherShape):
    form: Literal["other_decoder"]


class OtherEncoder(OtherShape):
    form: Literal["other_encoder"]


if TYPE_CHECKING:
    Shape = AnyShape
else:
    Shape = Annotated[
        Union[(*(each.shape for each in every_form()), OtherDecoder, OtherEncoder)],
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
