"""A shape: the settings of a model that a user chooses, in a recipe's entry `model`.

The model's own configuration has more entries, which the published architecture of that form
decides. Each form's shape is in the file of its model.

    >>> class GatosShape(AttentionShape):
    ...     form: Literal["gatos"]
    >>> shape = GatosShape(form="gatos", hidden_size=30, num_heads=4)
    >>> [str(each.entry) for each in shape.not_multiples()]
    ['hidden_size']
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

Dropout = Annotated[float, Field(ge=0, lt=1)]
Width = Annotated[int, Field(ge=1, le=65_536)]
Depth = Annotated[int, Field(ge=1, le=1_000)]
Places = Annotated[int, Field(ge=1, le=1_048_576)]
"""Numbers of components, of layers and heads, and of tokens: larger ones are typing mistakes, and
would fill any machine's memory."""


class Strict(BaseModel):
    """A part of a recipe: unknown entries are mistakes, no value is bent into another kind (yes
    is no number), and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


@dataclass(frozen=True)
class NoMultiple:
    """An entry whose value is no multiple of `of`, which is what the entry `other` asks for."""

    entry: str
    value: int
    of: int
    other: str


class Shape(Strict):
    """A model's shape. Each form's has `form: Literal["its name"]`."""

    if TYPE_CHECKING:  # each form's shape gives them defaults, in an order of its own
        form: str
        context: int
        hidden_size: int
        num_layers: int
        dropout: float

    def config_entries(self) -> dict[str, Any]:
        """The entries of the model's configuration that the shape decides."""
        return self.model_dump(exclude={"form"})

    def not_multiples(self) -> Iterator[NoMultiple]:
        """The entries that are not multiples of what they must be."""
        yield from ()


class AttentionShape(Shape):
    """The shape of a model whose layers are attention and a feed-forward part.

    Where positions are `rotary`, a head's components are turned in pairs.
    """

    rotary: ClassVar[bool] = False

    context: Places = 256
    hidden_size: Width = 256
    num_layers: Depth = 6
    num_heads: Depth = 8
    intermediate_size: Places = 1024
    dropout: Dropout = 0.0

    def config_entries(self) -> dict[str, Any]:
        return super().config_entries() | {"num_key_value_heads": self.num_heads}

    def not_multiples(self) -> Iterator[NoMultiple]:
        if self.hidden_size % self.num_heads:
            yield NoMultiple("hidden_size", self.hidden_size, self.num_heads, "num_heads")
        elif self.rotary and self.hidden_size // self.num_heads % 2:
            yield NoMultiple("hidden_size", self.hidden_size, 2 * self.num_heads, "2 · num_heads")
