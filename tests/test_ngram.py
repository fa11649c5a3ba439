"""The benchmark's n-gram model is checked against the definition, written out with dictionaries."""

import importlib.util
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).parents[1] / "benchmarks" / "ngram.py"


@pytest.fixture(scope="module")
def ngram():
    import sys

    spec = importlib.util.spec_from_file_location("ngram", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["ngram"] = module
    spec.loader.exec_module(module)
    return module


def written_out(training: str, text: str, alphabet: str, order: int) -> float:
    grams = [
        Counter(training[i : i + n] for i in range(len(training) - n + 1))
        for n in range(1, order + 1)
    ]
    counts = [Counter(longer[1:] for longer in grams[n + 1]) for n in range(order - 1)]
    counts.append(grams[-1])
    bits = 0.0
    for i, symbol in enumerate(text):
        p = 1 / len(alphabet)
        for n in range(order):
            if i < n:
                break
            context = text[i - n : i]
            followers = {g: c for g, c in counts[n].items() if g[:-1] == context}
            ones = sum(c == 1 for c in counts[n].values())
            twos = sum(c == 2 for c in counts[n].values())
            d = ones / max(1, ones + 2 * twos)
            if not followers or (n > 0 and context not in grams[n - 1]):
                break
            total = sum(followers.values())
            p = (
                max(followers.get(context + symbol, 0) - d, 0) / total
                + d * len(followers) / total * p
            )
        bits -= math.log2(p)
    return bits


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_it_agrees_with_the_definition(ngram, order) -> None:
    alphabet = "abcdr "
    training = "abracadabra abracadabra bacada cada barca abad " * 3 + "dab"
    text = "cabra abracada bad dcb"
    model = ngram.NGram(np.array([alphabet.index(c) for c in training]), len(alphabet), order)
    bits = model.bits(np.array([alphabet.index(c) for c in text]))
    assert bits == pytest.approx(written_out(training, text, alphabet, order), rel=1e-9)


def test_probabilities_add_up_to_one(ngram) -> None:
    model = ngram.NGram(np.array([0, 1, 2, 0, 1, 1, 2, 0, 0, 1, 2, 1]), 4, 3)
    context = [0, 1]
    before = model.bits(np.array(context))
    total = sum(2 ** (before - model.bits(np.array([*context, s]))) for s in range(4))
    assert total == pytest.approx(1)
