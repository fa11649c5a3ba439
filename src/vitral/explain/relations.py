"""Which head follows which grammatical relation?

For each relation of a treebank and each direction, every head answers one question: is the
word that it attends to most the right one?

- "governor": from the dependent, is it the word on which it depends?
- "dependent": from the governor, is it (one of) its dependents in that relation?

The best head is compared with the best *fixed offset* ("always the next word"), which uses no
grammar: a head that is no better has found a neighbour, not a relation. The head is chosen on
every other sentence and evaluated on the rest, so choosing the best of many does not favour it.
The offset is chosen on the evaluated sentences themselves: that favours it a little, so a badly
chosen offset cannot favour a head.
Words, not tokens (`words`); the word itself and special tokens do not count as answers.

Sources: Clark et al. 2019 (arXiv:1906.04341, section 4.1), Voita et al. 2019 (arXiv:1905.09418,
section 4.2). Intervals: Wilson's for shares, a bootstrap over sentences for the gain
(`intervals`).

Shapes: N heads of all layers, W words, S sentences, K offsets.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.explain.conllu import Sentence
from vitral.explain.intervals import bootstrap_difference, wilson
from vitral.explain.words import word_pattern, words_of_tokens
from vitral.tracing.protocols import TraceableModel
from vitral.tracing.trace import Trace

DIRECTIONS = ("governor", "dependent")
EVERY = "*"
"""The name under which all relations together are counted."""
FARTHEST = 10
OFFSETS = [offset for offset in range(-FARTHEST, FARTHEST + 1) if offset]
AT_ONCE = 16
LEAST = 20
NOWHERE = -1
"""The answer of a head that attends to no word: never right."""

Key = tuple[str, str]


@dataclass(frozen=True)
class RelationScore:
    """How well the best head follows one relation in one direction, with the best offset.

    Shares from 0 to 1 of the `count` cases in the sentences that the head was not chosen on; pairs
    are intervals at 95 %. `gain` is accuracy less baseline.
    """

    relation: str
    direction: str
    count: int
    layer: int
    head: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    offset: int
    baseline: float
    baseline_interval: tuple[float, float]
    gain: float
    gain_interval: tuple[float, float]

    @property
    def beats_baseline(self) -> bool:
        """Whether the whole interval of the gain lies above zero."""
        return self.gain_interval[0] > 0


@dataclass
class RelationReport:
    """Every relation's score, and the sentences it was measured on.

    `num_sentences` were read; `num_too_long` had more tokens than the model takes and were left
    out; `num_rare` relations and directions had fewer than `least` cases in either half.
    """

    model: str
    treebank: str
    num_sentences: int
    num_words: int
    num_too_long: int
    num_rare: int
    least: int
    scores: list[RelationScore] = field(default_factory=list)


@dataclass
class _Counts:
    """One relation and direction: a row per sentence."""

    heads: list[Tensor] = field(default_factory=list)  # [N] right answers
    offsets: list[Tensor] = field(default_factory=list)  # [K]
    counts: list[int] = field(default_factory=list)
    chosen_on: list[bool] = field(default_factory=list)


def relation_report(
    model: TraceableModel, sentences: Sequence[Sentence], *, treebank: str = "", least: int = LEAST
) -> RelationReport:
    """Evaluate every head of `model` (a `vitral.Model`) on these sentences.

    Sentences 0, 2, 4 … choose the head, the others evaluate it. Relations with fewer than `least`
    cases in either half are counted but not scored. Cost: a traced pass over each sentence.
    Raises VitralError `treebank_small` if nothing can be scored, `treebank_needs_places` for a
    tokenizer that cannot say where its tokens stand, and what `Model.trace` raises.
    """
    found: dict[Key, _Counts] = defaultdict(_Counts)
    read, too_long, shape = 0, 0, (0, 0)
    layers: list[int] = []
    fitting = [(n, each) for n, each in enumerate(sentences) if each.relations]
    for batch in _batches(model, fitting):
        texts = [sentence.text for _, sentence, fits in batch if fits]
        too_long += len(batch) - len(texts)
        traces: list[Trace] = model.trace(texts=texts) if texts else []
        kept = [(number, sentence) for number, sentence, fits in batch if fits]
        for (number, sentence), trace in zip(kept, traces, strict=True):
            layers = list(trace.layers())
            shape = (len(layers), trace.num_heads)
            best_NW = _most_looked_at(trace, sentence)
            _count(found, best_NW, sentence, chosen_on=number % 2 == 0)
            read += 1
    report = RelationReport(
        model.name,
        treebank,
        read,
        sum(len(sentence.words) for _, sentence in fitting),
        too_long,
        0,
        least,
    )
    for key in sorted(found, key=lambda key: (key[0] != EVERY, key[0], key[1] != "governor")):
        score = _score(key, found[key], shape, layers, least)
        if score is None:
            report.num_rare += 1
        else:
            report.scores.append(score)
    if not report.scores:
        raise VitralError("treebank_small", num_sentences=read, least=least)
    return report


def _batches(
    model: TraceableModel, sentences: Sequence[tuple[int, Sentence]]
) -> Iterator[list[tuple[int, Sentence, bool]]]:
    """Sentences of like length together, and whether each fits into the model."""
    lengths = {number: len(model.tokens(sentence.text)) for number, sentence in sentences}
    inorder = sorted(sentences, key=lambda each: lengths[each[0]])
    for first in range(0, len(inorder), AT_ONCE):
        yield [
            (number, sentence, model.context is None or lengths[number] <= model.context)
            for number, sentence in inorder[first : first + AT_ONCE]
        ]


def _most_looked_at(trace: Trace, sentence: Sentence) -> Tensor:
    """The word that each head attends to most from each word, its own left out: [N, W]."""
    words = words_of_tokens(trace.tokens, sentence.places)
    if all(word is None for word in words):
        raise VitralError("treebank_needs_places", model=trace.model)
    found = []
    for record in trace.layers().values():
        given_HWW = word_pattern(record.pattern().cpu(), words, len(sentence.words))
        given_HWW.diagonal(dim1=-2, dim2=-1).fill_(-1)
        largest = given_HWW.max(-1)
        found.append(torch.where(largest.values > 0, largest.indices, NOWHERE))
    return torch.cat(found)


def _count(
    found: dict[Key, _Counts], best_NW: Tensor, sentence: Sentence, *, chosen_on: bool
) -> None:
    """Add one sentence's right answers of every head and offset."""
    size = len(sentence.words)
    answers: dict[Key, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for relation in sentence.relations:
        for name in (relation.name, EVERY):
            answers[name, "governor"][relation.dependent].add(relation.governor)
            answers[name, "dependent"][relation.governor].add(relation.dependent)
    for key, cases in answers.items():
        asked = torch.tensor(list(cases))
        right_CW = torch.zeros(len(cases), size + 2 * FARTHEST, dtype=torch.bool)
        for case, accepted in enumerate(cases.values()):
            right_CW[case, [place + FARTHEST for place in accepted]] = True
        rows = torch.arange(len(cases))
        counts = found[key]
        counts.heads.append(right_CW[rows, best_NW[:, asked] + FARTHEST].sum(-1))
        places_KC = torch.tensor(OFFSETS)[:, None] + asked + FARTHEST
        counts.offsets.append(right_CW[rows, places_KC].sum(-1))
        counts.counts.append(len(cases))
        counts.chosen_on.append(chosen_on)


def _score(
    key: Key, counts: _Counts, shape: tuple[int, int], layers: list[int], least: int
) -> RelationScore | None:
    """The best head's and the best offset's score; None if there are too few cases."""
    heads_SN, offsets_SK = torch.stack(counts.heads), torch.stack(counts.offsets)
    cases_S, choosing = torch.tensor(counts.counts), torch.tensor(counts.chosen_on)
    if min(int(cases_S[choosing].sum()), int(cases_S[~choosing].sum())) < least:
        return None
    head = int(heads_SN[choosing].sum(0).argmax())
    offset = int(offsets_SK[~choosing].sum(0).argmax())  # in hindsight
    by_head_S, by_offset_S = heads_SN[~choosing, head], offsets_SK[~choosing, offset]
    scored_S = cases_S[~choosing]
    count, right, plain = int(scored_S.sum()), int(by_head_S.sum()), int(by_offset_S.sum())
    return RelationScore(
        relation=key[0],
        direction=key[1],
        count=count,
        layer=layers[head // shape[1]],
        head=head % shape[1],
        accuracy=right / count,
        accuracy_interval=wilson(right, count),
        offset=OFFSETS[offset],
        baseline=plain / count,
        baseline_interval=wilson(plain, count),
        gain=(right - plain) / count,
        gain_interval=bootstrap_difference(by_head_S, by_offset_S, scored_S),
    )
