"""A declared experiment: parameters in, a drawing out.

    class Line(Parameters):
        slope: float = Field(1.0, ge=-5, le=5)

    @experiment
    def line(at: Line) -> Drawing:
        return Drawing(values={"height": at.slope}, pictures=[...])

It computes what it shows; the same parameters give the same drawing. What may be asked of it stands
in its parameters' types, so that a value out of range is refused before it is computed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError

from vitral.errors import VitralError
from vitral.lessons.picture import Drawing


class Parameters(BaseModel):
    """What an experiment takes: numbers, choices (Literal) and texts, each with a default value."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


P = TypeVar("P", bound=Parameters)


@dataclass(frozen=True)
class Experiment(Generic[P]):
    """An experiment, by the name of its function."""

    name: str
    parameters: type[P]
    compute: Callable[[P], Drawing]

    def run(self, values: Mapping[str, Any]) -> Drawing:
        """The drawing at these values; what is not said has its default value.

        Raises VitralError("lesson_value") for a parameter that is unknown or out of range, and
        what the experiment raises (a text that its model cannot read).
        """
        try:
            at = self.parameters.model_validate(dict(values))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or self.name
            raise VitralError("lesson_value", parameter=field, reason=first["msg"]) from error
        return self.compute(at)


def experiment(compute: Callable[[P], Drawing]) -> Experiment[P]:
    """Declare a function as an experiment; its one argument's type is what it takes."""
    hints = get_type_hints(compute)
    taken = [hint for name, hint in hints.items() if name != "return"]
    assert len(taken) == 1, f"{compute.__name__} takes its parameters, and nothing else"
    return Experiment(compute.__name__, taken[0], compute)
