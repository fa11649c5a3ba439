"""What every measure of a head has: a name, a formula, a range, a source, a cost, a sentence.

A measure is a function from one attention record to a number for each head, wrapped so that it
works on whole traces:

    entropy(trace)            # float32 [layers, heads]
    entropy.low, entropy.high # its range
    entropy.sentence("es")    # what it means, in one sentence

`MEASURES` lists them in the order in which they are shown, so that Python, the command line and
the browser use the same ones. Layers may have different numbers of heads, and blocks no attention;
what a layer does not have is NaN, and so is a measure that a text leaves undefined (no token stands
twice, …).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.explain.norm_weighted import sizes_given
from vitral.explain.of_picture import is_of_picture
from vitral.messages import message
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.parts import stacked
from vitral.tracing.protocols import TraceableModel
from vitral.tracing.trace import Trace

Score = Callable[..., Tensor]
"""From one attention and the tokens that it looks at (and, of a measure `of_model`, the sizes of
what each head hands over from each key [H, S]), a number for each head: [H]."""


@dataclass(frozen=True)
class Measure:
    """One number for each head; see the head of the file.

    `high` is None where nothing but the text's length limits it. `one_text` says that it means
    nothing between two texts (cross-attention), `along_text` that it counts places along a line and
    means nothing on a picture; `of_model`, that it needs the model's own weights. `unit` is "share"
    (0 to 1) or "tokens".
    """

    name: str
    score: Score
    low: float
    high: float | None
    unit: str
    one_text: bool
    source: str
    cost: str
    along_text: bool = False
    of_model: bool = False

    def __call__(
        self, trace: Trace, part: str | None = None, model: TraceableModel | None = None
    ) -> Tensor:
        """The measure of every head of a part of the trace: float32 [layers, heads].

        `model` is the one that made the trace; what is measured of it is NaN without it, and
        where its attention cannot be divided into heads.
        Raises VitralError `part_unknown`, and `measure_of_two_texts` or `picture_measure` where
        it means nothing.
        """
        if self.along_text and is_of_picture(trace):
            raise VitralError("picture_measure", measure=self.name)
        if self.one_text and not self.fits(trace, part):
            raise VitralError("measure_of_two_texts", measure=self.name, part=part)
        tokens = trace.key_tokens(part)
        rows = {}
        for layer, each in trace.layers(part).items():
            if not self.of_model:
                rows[layer] = self.score(each, tokens)
                continue
            sizes = None if model is None else sizes_given(trace, model, layer, part)
            unknown = torch.full((each.num_heads,), torch.nan)
            rows[layer] = unknown if sizes is None else self.score(each, tokens, sizes)
        return stacked(rows, trace.num_blocks(part))

    def fits(self, trace: Trace, part: str | None = None) -> bool:
        """Whether the measure means something for this part of the trace."""
        if self.along_text and is_of_picture(trace):
            return False
        return not (self.one_text and trace.part(part).is_cross)

    def label(self, language: str | None = None) -> str:
        """Its name as shown: "attention entropy"."""
        return message(f"measure.{self.name}.label", language)

    def sentence(self, language: str | None = None) -> str:
        """What it means, in one sentence."""
        return message(f"measure.{self.name}.sentence", language)


def measure(
    *,
    low: float = 0.0,
    high: float | None = 1.0,
    unit: str = "share",
    one_text: bool = False,
    along_text: bool = False,
    of_model: bool = False,
    source: str,
    cost: str,
) -> Callable[[Score], Measure]:
    """Make a `Measure` of the function below it, under the function's name."""

    def wrap(score: Score) -> Measure:
        made = Measure(
            score.__name__, score, low, high, unit, one_text, source, cost, along_text, of_model
        )
        object.__setattr__(made, "__doc__", score.__doc__)
        return made

    return wrap


def mean_over(values_HT: Tensor, counted_HT: Tensor) -> Tensor:
    """The mean of the rows that count [H], of [H, T] and a boolean [1 or H, T]; NaN if none."""
    counted = counted_HT.expand_as(values_HT)
    return torch.where(counted, values_HT, 0.0).sum(-1) / counted.sum(-1)


def seeing(record: AttentionRecord) -> Tensor:
    """Which queries are not fully masked: bool [1 or H, T]."""
    return record.statistics.allowed > 0
