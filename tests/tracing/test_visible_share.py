"""The share of a cell that may be seen, counted from the rule, against the mask itself."""

import itertools
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from made_traces import made_record
from vitral.tracing.attention.visibility import Visibility
from vitral.tracing.maps.visible_share import visible_share
from vitral.tracing.view import cell_edges


def expected(mask, rows, columns, size):
    down, across = cell_edges(*rows, size), cell_edges(*columns, size)
    return torch.stack(
        [
            torch.stack([mask[a:b, c:d].float().mean() for c, d in itertools.pairwise(across)])
            for a, b in itertools.pairwise(down)
        ]
    )


@settings(deadline=None, max_examples=40)
@given(
    length=st.integers(2, 30),
    window=st.integers(1, 30),
    size=st.integers(1, 8),
    padded=st.booleans(),
    seed=st.integers(0, 99),
)
def test_every_rule_counts_as_its_mask_does(length, window, size, padded, seed) -> None:
    distance = torch.arange(length) - torch.arange(length)[:, None]
    mask = (distance <= 0) & (distance > -window)
    if padded:
        mask = mask & (torch.rand(length, generator=torch.Generator().manual_seed(seed)) > 0.2)
    record = made_record(length, visibility=Visibility.of_mask(mask[None]))
    first = length // 3
    for rows, columns in (((0, length), (0, length)), ((first, length), (0, length - first))):
        share = visible_share(record, 0, rows, columns, (size, size))
        if share is None:
            assert mask.all()
        else:
            torch.testing.assert_close(share, expected(mask, rows, columns, size))


def test_everything_seen_needs_no_share() -> None:
    record = made_record(5, visibility=Visibility.rule(5, 5, causal=False).item(0))
    assert visible_share(record, 0, (0, 5), (0, 5), (5, 5)) is None


@pytest.mark.parametrize("uniform", [True, False])
def test_a_query_without_keys_sees_all_or_nothing(uniform: bool) -> None:
    mask = torch.ones(4, 4, dtype=torch.bool).tril()
    mask[0] = False
    record = made_record(4, visibility=Visibility.of_mask(mask[None]))
    record = replace(record, uniform_when_blind=uniform)
    share = visible_share(record, 0, (0, 4), (0, 4), (4, 4))
    assert share is not None
    assert share[0].tolist() == [float(uniform)] * 4
    assert share[3].tolist() == [1.0] * 4
