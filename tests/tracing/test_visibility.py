"""Rules kept as vectors say, cell by cell, what the matrices said."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vitral.tracing.visibility import Bias, Visibility

lengths = st.integers(1, 8)


def assert_says(rule: Visibility | Bias, matrix: Tensor, data: st.DataObject) -> None:
    num_queries, num_keys = matrix.shape[-2:]
    rows, columns = (
        tuple(sorted(data.draw(st.lists(st.integers(0, n), min_size=2, max_size=2, unique=True))))
        for n in (num_queries, num_keys)
    )
    expected = matrix[..., slice(*rows), slice(*columns)]
    assert torch.equal(rule.block(rows, columns).expand_as(expected), expected)
    whole = rule.cut(rows, columns)
    size = (rows[1] - rows[0], columns[1] - columns[0])
    assert torch.equal(whole.block((0, size[0]), (0, size[1])).expand_as(expected), expected)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), num_queries=lengths, num_keys=lengths, seed=st.integers(0, 999))
def test_masks(data: st.DataObject, num_queries: int, num_keys: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    kind = data.draw(st.sampled_from(["causal", "window", "padding", "freed", "any"]))
    distance = torch.arange(num_keys)[None] - torch.arange(num_queries)[:, None]
    padding = torch.rand(2, 1, 1, num_keys, generator=generator) > 0.3
    mask = {
        "causal": (distance <= 0) & padding,
        "window": (distance.abs() < 3) & padding,
        "padding": padding.expand(2, 1, num_queries, num_keys),
        "freed": (distance <= 0) & padding,
        "any": torch.rand(2, 3, num_queries, num_keys, generator=generator) > 0.5,
    }[kind]
    if kind == "freed":
        mask = mask | ~mask.any(-1, keepdim=True)
    rule = Visibility.of_mask(mask)
    if kind != "any":
        assert rule.dense is None, "a rule with structure is kept as vectors"
    assert_says(rule, mask, data)
    assert_says(rule.item(1), mask[1], data)


@settings(deadline=None, max_examples=40)
@given(data=st.data(), num_queries=lengths, num_keys=lengths, seed=st.integers(0, 999))
def test_biases(data: st.DataObject, num_queries: int, num_keys: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    kind = data.draw(st.sampled_from(["relative", "columns", "any"]))
    distance = torch.arange(num_keys)[None] - torch.arange(num_queries)[:, None]
    relative = torch.randn(1, 4, num_queries + num_keys, generator=generator)
    matrix = {
        "relative": relative[..., distance + num_queries],
        "columns": relative[..., None, :num_keys].expand(1, 4, num_queries, num_keys),
        "any": torch.randn(1, 4, num_queries, num_keys, generator=generator),
    }[kind]
    bias = Bias.of_matrix(matrix)
    assert bias is not None
    assert kind == "any" or bias.dense is None
    assert_says(bias, matrix, data)
    assert_says(bias.item(0), matrix[0], data)


def test_plain_rules() -> None:
    causal = Visibility.rule(4, 4, causal=True).item(0)
    assert torch.equal(causal.block((0, 4), (0, 4))[0], torch.ones(4, 4, dtype=torch.bool).tril())
    assert causal.is_causal
    assert not Visibility.rule(4, 4, causal=False).item(0).is_causal
    assert Bias.of_matrix(torch.zeros(1, 1, 3, 3)) is None


def test_memory_grows_with_the_length_only() -> None:
    mask = torch.ones(1, 1, 1000, 1000, dtype=torch.bool).tril()
    rule = Visibility.of_mask(mask)
    kept = [rule.diagonal, rule.columns, rule.free]
    assert sum(each.numel() for each in kept if each is not None) < 4100
