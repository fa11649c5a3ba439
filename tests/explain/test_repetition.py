"""A random series said twice: what it holds, and what the scores read from it."""

from pathlib import Path

import pytest
import torch

import vitral
from parity.random_models import random_model
from vitral.errors import VitralError
from vitral.explain import measures, repeated_trace


def test_the_series_comes_twice_and_nothing_else_repeats(bert_folder: Path) -> None:
    trace = repeated_trace(vitral.load(str(bert_folder)), length=12, seed=3)
    ids = [token.id for token in trace.tokens]
    assert ids[0] == 2
    assert ids[-1] == 3
    assert ids[1:13] == ids[13:25]
    assert len(set(ids)) == 14
    assert not any(token.special for token in trace.tokens[1:-1])


def test_scores_are_the_means_of_two_diagonals(llama_folder: Path) -> None:
    model = vitral.load(str(llama_folder))
    trace = repeated_trace(model, length=10)
    table = measures(model.trace("El gato."), repeated=trace)
    weights = trace.attention(1, 2)
    start = len(trace.tokens) - 20
    rows = torch.arange(start + 10, start + 20)
    torch.testing.assert_close(table["duplicate"][1, 2], weights[rows, rows - 10].mean())
    torch.testing.assert_close(table["induction"][1, 2], weights[rows, rows - 9].mean())


def test_the_same_seed_gives_the_same_series(llama_folder: Path) -> None:
    model = vitral.load(str(llama_folder))
    first, again, other = (repeated_trace(model, seed=seed) for seed in (1, 1, 2))
    assert first.tokens == again.tokens != other.tokens
    assert len(first.tokens) == 64


def test_a_series_that_does_not_fit_is_refused(bert_folder: Path) -> None:
    with pytest.raises(VitralError, match="82 tokens"):
        repeated_trace(vitral.load(str(bert_folder)), length=40)
    assert len(repeated_trace(vitral.load(str(bert_folder))).tokens) == 64


def test_images_have_no_words_to_repeat() -> None:
    with pytest.raises(VitralError, match="reads no tokens"):
        repeated_trace(vitral.load(random_model("vit")))
