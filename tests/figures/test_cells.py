"""Cells: what is absent is not zero, and a block has the mean of what is seen."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vitral.errors import VitralError
from vitral.figures.cells import cells_of, edges, reduced


def causal(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    allowed = torch.ones(size, size, dtype=torch.bool).tril()
    scores = torch.randn(size, size, generator=torch.Generator().manual_seed(size))
    return scores.masked_fill(~allowed, float("-inf")).softmax(dim=-1), allowed


def test_hidden_weights_are_absent_and_seen_zeros_are_not() -> None:
    weights, allowed = causal(5)
    weights[4] = torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0])
    cells = cells_of(weights, allowed, None, None, None, None)
    assert np.array_equal(np.isnan(cells.values), ~allowed.numpy())
    assert cells.values[4, 0] == 0
    assert cells.has_absent
    assert not cells.aggregated


@settings(deadline=None, max_examples=30)
@given(size=st.integers(2, 40), most=st.integers(1, 12))
def test_a_block_is_the_mean_of_what_is_seen(size: int, most: int) -> None:
    weights, allowed = causal(size)
    cells = cells_of(weights, allowed, None, None, None, None, most=(most, most))
    bounds = edges(size, most)
    for i, j in np.ndindex(cells.values.shape):
        block = (slice(bounds[i], bounds[i + 1]), slice(bounds[j], bounds[j + 1]))
        seen = weights[block][allowed[block]]
        if len(seen):
            assert cells.values[i, j] == pytest.approx(float(seen.mean()), rel=1e-4, abs=1e-7)
        else:
            assert np.isnan(cells.values[i, j])
    assert cells.aggregated == (size > most)


def test_the_largest_of_a_block() -> None:
    weights, allowed = causal(20)
    cells = cells_of(weights, allowed, None, None, None, None, "max", most=(4, 4))
    assert cells.values[3, 0] == weights[15:, :5].max()
    assert np.isnan(cells.values[0, 3])


def test_reduction_keeps_every_weight_once() -> None:
    matrix = torch.rand(37, 23)
    small = reduced(matrix, (5, 4), "mean")
    sizes = torch.tensor(edges(37, 5)).diff()[:, None] * torch.tensor(edges(23, 4)).diff()
    assert float((small * sizes).sum()) == pytest.approx(float(matrix.sum()), rel=1e-5)


def test_what_cannot_be_drawn_is_refused() -> None:
    matrix = torch.rand(3, 3)
    with pytest.raises(VitralError, match=r"\[2, 3, 3\]"):
        cells_of(torch.rand(2, 3, 3), None, None, None, None, None)
    with pytest.raises(VitralError, match="not numbers"):
        cells_of(matrix.log().log(), None, None, None, None, None)
    with pytest.raises(VitralError, match=r"2 labels.*3 tokens"):
        cells_of(matrix, None, None, None, ["a", "b"], None)
