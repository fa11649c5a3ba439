"""All cheap measures of a trace's heads, together: `vitral.measures(trace)`.

table = vitral.measures(trace)
table["entropy"]        # float32 [layers, heads]
table.role(3, 2)        # "previous"
table.sentence(3, 2)    # "looks at the previous token (82 %)"
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from vitral.explain.measure import Measure
from vitral.explain.of_picture import is_of_picture
from vitral.explain.registry import MEASURES
from vitral.explain.roles import role_of, role_sentence
from vitral.tracing.protocols import TraceableModel
from vitral.tracing.trace import Trace


@dataclass(frozen=True, eq=False)
class HeadMeasures:
    """Every measure of every head of a part of a trace: `values` [layers, heads] by name.

    `layers` are the numbers of the layers that have attention; of the others the values are NaN.
    """

    model: str
    part: str
    num_tokens: int
    layers: list[int]
    values: dict[str, Tensor]
    of_picture: bool = False
    apart: dict[str, Tensor] = field(default_factory=dict)
    """The measures of what does not rest, scaled: what roles are read off."""

    def __getitem__(self, name: str) -> Tensor:
        return self.values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        size = f"{len(self.layers)} layers, {self.num_heads} heads"
        return f"<HeadMeasures of {self.model}: {size}, {', '.join(self.values)}>"

    @property
    def num_layers(self) -> int:
        """Layers, with attention or without: rows of each measure."""
        return len(next(iter(self.values.values())))

    @property
    def num_heads(self) -> int:
        return int(next(iter(self.values.values())).shape[1])

    @property
    def measures(self) -> list[Measure]:
        """The measures that are here, in the order in which they are shown."""
        return [MEASURES[name] for name in self.values]

    def of(self, layer: int, head: int) -> dict[str, float]:
        """One head's numbers by name; NaN where a measure is undefined. Counted from 0."""
        return {name: float(values[layer, head]) for name, values in self.values.items()}

    def role(self, layer: int, head: int) -> str:
        """What the head does, as one word of `vitral.explain.roles.ROLES`."""
        return role_of(self.judged(layer, head))

    def judged(self, layer: int, head: int) -> dict[str, float]:
        """The numbers that the role is read off: `resting` and `writes` as they are, the others
        without resting tokens."""
        found = self.of(layer, head)
        return found | {name: float(each[layer, head]) for name, each in self.apart.items()}

    def sentence(
        self, layer: int, head: int, language: str | None = None, *, says_rest: bool = True
    ) -> str:
        """What the head does, in one sentence; and how much of its attention rests."""
        return role_sentence(self.judged(layer, head), language, says_rest=says_rest)

    def heads(self) -> list[dict[str, Any]]:
        """One dictionary per head: layer, head, role, and its numbers."""
        found = []
        for layer in self.layers:
            for head in range(self.num_heads):
                numbers = self.of(layer, head)
                if not math.isnan(numbers["confidence"]):  # else the layer has fewer heads
                    found.append(
                        {"layer": layer, "head": head, "role": self.role(layer, head), **numbers}
                    )
        return found


def measures(
    trace: Trace,
    part: str | None = None,
    *,
    repeated: Trace | None = None,
    model: TraceableModel | None = None,
) -> HeadMeasures:
    """All cheap measures of a trace's heads that are defined for the part.

    `repeated` is another trace of the same model, of a repeated random sequence
    (`repeated_trace`): if given, `duplicate` and `induction` are measured on it instead. In an
    encoder–decoder that is so of the encoder, which alone reads those tokens.

    `model` is the one that made the trace: with it `writes` is known, and so which heads are
    idle. Cost: one pass over the patterns, and one without resting tokens. Raises VitralError
    `part_unknown`.
    """
    part = trace.first_part if part is None else part
    if part != trace.first_part:
        repeated = None
    values, apart = {}, {}
    without = trace.read(resting=False)
    repeated_without = repeated.read(resting=False) if repeated else None
    for name, measure in MEASURES.items():
        if not measure.fits(trace, part):
            continue
        follows = repeated is not None and name in ("duplicate", "induction")
        values[name] = measure(repeated if follows and repeated else trace, part, model)
        if name not in ("resting", "writes"):
            measured = repeated_without if follows and repeated_without else without
            apart[name] = measure(measured, part)
    records = trace.layers(part)
    return HeadMeasures(
        trace.model,
        part,
        next(iter(records.values())).num_queries,
        list(records),
        values,
        is_of_picture(trace),
        apart,
    )
