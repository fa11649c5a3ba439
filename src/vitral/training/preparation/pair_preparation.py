"""From pairs of texts to a run's data: a tokenizer, a file of token ids, held-out pairs.

The pairs come from files, or are made by a rule that the recipe names. As with a corpus, all
three are kept in the run's folder, so that a resumed run continues with the same pairs.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from heapq import nsmallest
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from vitral.data.pair_file import PairFile
from vitral.data.pairs import Pair, generate_pairs, read_pairs, train_pair_tokenizer
from vitral.data.split import draw
from vitral.errors import VitralError
from vitral.models.kept_files import keep_files
from vitral.text.tokenizer_folder import read_tokenizer
from vitral.training.preparation.start_tokens import given_tokenizer
from vitral.training.recipes.recipe import Recipe

START = "start"
"""The folder, in a run's, with the kept files of the model that the run starts from."""

SAMPLE_PAIRS = 2000
"""How many held-out pairs are kept, evenly spread over all of them."""


@dataclass(frozen=True)
class PreparedPairs:
    """What a run on pairs reads: its tokenizer, the training pairs as ids, and some of those
    that are held out."""

    tokenizer: Tokenizer
    pairs: PairFile
    held_out: list[Pair]

    @property
    def samples(self) -> list[str]:
        """Held-out pairs to evaluate the model on."""
        return [pair.source for pair in self.held_out]

    @cached_property
    def fingerprint(self) -> str:
        """Identifies this tokenizer and these pairs: checkpoints carry it."""
        digest = hashlib.sha256(self.tokenizer.to_str().encode())
        places = np.linspace(0, len(self.pairs) - 1, min(len(self.pairs), 1000), dtype=np.int64)
        digest.update(str(len(self.pairs)).encode())
        for place in places:
            digest.update(self.pairs.source(place).tobytes() + self.pairs.target(place).tobytes())
        digest.update(repr(self.held_out).encode())
        return digest.hexdigest()


def prepare_pairs(
    recipe: Recipe, sources: Sequence[str | Path], out: Path, *, start: Path | None = None
) -> PreparedPairs:
    """Read or make the pairs into the run's folder `out`, or open what stands there already.

    The tokenizer is learned from the training pairs, or is that of the model in `start` or of the
    recipe's folder. Raises VitralError `pairs_missing` where there are neither sources nor a rule,
    `pairs_and_sources` where there are both, `pairs_too_few`, `pair_too_long`, and what
    `read_pairs` and `given_tokenizer` raise.
    """
    stem, sample, path = out / "pairs", out / "held_out.json", out / "tokenizer.json"
    if not (PairFile.exists(stem) and sample.exists()):
        out.mkdir(parents=True, exist_ok=True)
        held_out = _held_out(recipe, sources)
        if not path.exists():
            _write_tokenizer(recipe, sources, path, start)
        tokenizer = read_tokenizer(path)
        PairFile.write(_training(recipe, sources), tokenizer, stem)
        _write(sample, json.dumps([astuple(pair) for pair in held_out], ensure_ascii=False))
    pairs = PairFile.open(stem)
    context = recipe.model.context
    if max(pairs.longest) > context:
        raise VitralError("pair_too_long", length=max(pairs.longest), context=context)
    saved = json.loads(sample.read_text(encoding="utf-8"))
    return PreparedPairs(read_tokenizer(path), pairs, [Pair(*pair) for pair in saved])


def all_pairs(recipe: Recipe, sources: Sequence[str | Path]) -> Iterator[Pair]:
    """The pairs of the files, or those that the recipe's rule makes."""
    rule = recipe.data.pairs
    if rule is None:
        if not sources:
            raise VitralError("pairs_missing", recipe=recipe.name)
        return read_pairs(sources)
    if sources:
        raise VitralError("pairs_and_sources", recipe=recipe.name)
    return generate_pairs(rule.generated, digits=rule.digits, count=rule.count, seed=recipe.seed)


def is_held_out(source: str, recipe: Recipe) -> bool:
    """Whether that source is never trained on."""
    assert isinstance(recipe.data.held_out, float)
    return draw(source, recipe.seed) < recipe.data.held_out


def _training(recipe: Recipe, sources: Sequence[str | Path]) -> Iterator[Pair]:
    pairs = all_pairs(recipe, sources)
    return (pair for pair in pairs if not is_held_out(pair.source, recipe))


def _held_out(recipe: Recipe, sources: Sequence[str | Path]) -> list[Pair]:
    """The held-out pairs with the smallest random numbers."""
    count = num_held_out = 0
    drawn: dict[Pair, float] = {}
    for pair in all_pairs(recipe, sources):
        count += 1
        if is_held_out(pair.source, recipe):
            num_held_out += 1
            drawn[pair] = draw(pair.source, recipe.seed)
        if len(drawn) > 4 * SAMPLE_PAIRS:
            drawn = {each: drawn[each] for each in _smallest(drawn)}
    if not 0 < num_held_out < count:
        raise VitralError("pairs_too_few", count=count, share=recipe.data.held_out)
    return _smallest(drawn)


def _smallest(drawn: dict[Pair, float]) -> list[Pair]:
    return nsmallest(SAMPLE_PAIRS, drawn, key=drawn.__getitem__)


def _write_tokenizer(
    recipe: Recipe, sources: Sequence[str | Path], path: Path, start: Path | None
) -> None:
    tokenizer = given_tokenizer(recipe, start)
    if tokenizer is not None and start is not None and recipe.tokenizer.transfer is None:
        keep_files(start, path.parent / START)
    if tokenizer is None:
        choice = recipe.tokenizer
        pairs = _training(recipe, sources)
        tokenizer = train_pair_tokenizer(pairs, choice.kind, choice.vocab_size)
    _write(path, tokenizer.to_str(pretty=True))


def _write(path: Path, text: str) -> None:
    partial = path.with_suffix(".new")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
