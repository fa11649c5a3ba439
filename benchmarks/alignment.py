"""Which word of a translation comes from which word of the source: a dictionary's answer.

The dictionary is learned from pairs of sentences alone. IBM's Model 1 (Brown et al. 1993) lets
every source word explain every target word of its sentence, and counts anew, again and again,
how much each explains::

    t(e | s) ∝ Σ_pairs  t(e | s) / Σ_s' t(e | s')

`agreement` says how often a pattern's argmax points to the word that the dictionary names, and how
often the diagonal does (the word as far along in the source as the target word is in its text).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ROUNDS = 5
LEAST = 0.15
"""A dictionary entry less certain than this names nothing."""

Words = Sequence[str]


@dataclass(frozen=True)
class Dictionary:
    """`meaning[source][target]`: how much of the source word's meaning is the target word."""

    meaning: dict[str, dict[str, float]]

    @classmethod
    def learned(cls, pairs: Iterable[tuple[Words, Words]], rounds: int = ROUNDS) -> "Dictionary":
        """By Model 1, from pairs of source words and target words."""
        known = [(list(source), list(target)) for source, target in pairs]
        meaning: dict[str, dict[str, float]] = {}
        for _ in range(rounds):
            counts: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
            for source, target in known:
                for word in target:
                    shares = [meaning.get(each, {}).get(word, 0.0) for each in source]
                    if not meaning:
                        shares = [1.0] * len(source)
                    total = sum(shares)
                    for each, share in zip(source, shares, strict=True):
                        if total > 0:
                            counts[each][word] += share / total
            totals = {each: sum(found.values()) for each, found in counts.items()}
            meaning = {
                each: {word: count / totals[each] for word, count in found.items()}
                for each, found in counts.items()
            }
        return cls(meaning)

    def place_of(self, word: str, source: Words) -> int | None:
        """The place of the source word that means `word` most; None if none does for sure."""
        shares = [self.meaning.get(each, {}).get(word, 0.0) for each in source]
        best = max(range(len(source)), key=shares.__getitem__, default=None)
        return best if best is not None and shares[best] >= LEAST else None


def diagonal(number: int, num_targets: int, num_sources: int) -> int:
    """The source word as far along as the target word `number` is.

    >>> [diagonal(number, 3, 5) for number in range(3)]
    [0, 2, 4]
    """
    return int((number + 0.5) / num_targets * num_sources)
