"""What an edit does to a prediction: the same position before and after.

    moved      ½ Σ |after − before|              the share of the probability that moved
    divergence Σ before · log(before / after)    Kullback–Leibler, in nats

`moved` is the total variation distance: 0 if nothing changed, 1 if the two share no word. The
divergence is that of `vitral.difference`, at one place.

    change = prediction_change(before, after, model)
    change.rose[0]      # Candidate(id=…, text="perro", before=0.12, after=0.47)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.tracing.editing.before_after import difference
from vitral.tracing.protocols import TraceableModel
from vitral.tracing.recording.reading import bare_tokens
from vitral.tracing.trace import Trace


@dataclass(frozen=True)
class Candidate:
    """One token of the vocabulary and its probability, 0 to 1, before and after."""

    id: int
    text: str
    before: float
    after: float

    @property
    def change(self) -> float:
        """after − before."""
        return self.after - self.before


@dataclass(frozen=True)
class PredictionChange:
    """The prediction at `place` (counted from 0): `before` and `after` are the most likely of
    each, the first one first; `rose` and `fell` those that gained and lost most, each with its
    largest change first. Tokens that did not change are in neither."""

    place: int
    divergence: float
    moved: float
    before: list[Candidate]
    after: list[Candidate]
    rose: list[Candidate]
    fell: list[Candidate]


def prediction_change(
    before: Trace,
    after: Trace,
    model: TraceableModel | None = None,
    place: int | None = None,
    *,
    count: int = 8,
) -> PredictionChange:
    """How the prediction at one place, by default the last, changed from `before` to `after`.

    A decoder predicts there the token after; an encoder the token that stands there (mask it
    with `explain.mask_token.mask_id` first). `model`, a `vitral.Model`, names the tokens;
    without it they are called by their numbers. `count` is how many each list has at most.

    Raises VitralError `traces_differ`, `logits_not_available` for a model without a head over its
    vocabulary, `token_out_of_range`.
    """
    difference(before, after)  # refuses what cannot be compared
    logits = []
    for trace in (before, after):
        if "logits" not in trace.values or trace["logits"].dim() != 2:
            raise VitralError("logits_not_available", model=trace.model)
        logits.append(trace["logits"])
    length = len(logits[0])
    place = length - 1 if place is None else place
    if not 0 <= place < length:
        raise VitralError("token_out_of_range", token=place, length=length)
    log_before_V, log_after_V = (each[place].float().cpu().log_softmax(-1) for each in logits)
    before_V, after_V = log_before_V.exp(), log_after_V.exp()
    change_V = after_V - before_V
    count = min(count, len(change_V))

    def named(ids: Sequence[int]) -> list[Candidate]:
        tokens = bare_tokens(list(ids), None if model is None else model.tokenizer)
        return [
            Candidate(token.id, token.text, float(before_V[token.id]), float(after_V[token.id]))
            for token in tokens
        ]

    def moving(sign: int) -> list[int]:
        moved_V = change_V * sign
        return [number for number in _largest(moved_V, count) if moved_V[number] > 0]

    return PredictionChange(
        place=place,
        divergence=max(0.0, float((before_V * (log_before_V - log_after_V)).sum())),
        moved=float(change_V.abs().sum()) / 2,
        before=named(_largest(before_V, count)),
        after=named(_largest(after_V, count)),
        rose=named(moving(1)),
        fell=named(moving(-1)),
    )


def _largest(values_V: Tensor, count: int) -> list[int]:
    """The ids of the largest values, of equals the first id first."""
    found: list[int] = torch.sort(values_V, descending=True, stable=True).indices[:count].tolist()
    return found
