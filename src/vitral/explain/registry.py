"""The measures of heads by name, in the order in which they are shown: one place to list them."""

from vitral.explain.attention_received import hub
from vitral.explain.confidence import confidence
from vitral.explain.distance import distance
from vitral.explain.duplicate_token import duplicate
from vitral.explain.entropy import entropy
from vitral.explain.fixed_position import first, next, previous, same
from vitral.explain.induction import induction
from vitral.explain.measure import Measure
from vitral.explain.resting import resting
from vitral.explain.separators import separators
from vitral.explain.writing import writes

MEASURES: dict[str, Measure] = {
    each.name: each
    for each in (
        entropy,
        confidence,
        distance,
        previous,
        same,
        next,
        first,
        separators,
        resting,
        writes,
        hub,
        duplicate,
        induction,
    )
}
