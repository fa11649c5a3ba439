"""Rules kept as vectors say, cell by cell, what the matrices said."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vitral.tracing.attention.visibility import Bias, Visibility

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


@settings(deadline=None, max_examples=80)
@given(
    seed=st.integers(0, 10_000),
    num_queries=st.integers(1, 8),
    num_keys=st.integers(1, 8),
    kind=st.sampled_from(["rule", "any", "dense"]),
)
def test_what_a_rule_says_of_itself(seed: int, num_queries: int, num_keys: int, kind: str) -> None:
    """Cells, blind rows and the columns seen are those of the whole matrix."""
    generator = torch.Generator().manual_seed(seed)

    def flags(length: int, share: float) -> torch.Tensor:
        return torch.rand(2, length, generator=generator) < share

    diagonal = flags(num_queries + num_keys - 1, 0.3)
    if kind == "rule":  # one run of distances
        place = torch.arange(diagonal.shape[1])
        first, last = sorted(torch.randint(0, len(place) + 1, (2,), generator=generator).tolist())
        diagonal = ((place >= first) & (place < last)).expand(2, -1)
    rule = Visibility(
        num_queries, num_keys, diagonal, flags(num_keys, 0.6), flags(num_queries, 0.1)
    )
    if kind == "dense":
        matrix = torch.rand(2, num_queries, num_keys, generator=generator) < 0.2
        rule = Visibility(num_queries, num_keys, None, None, None, matrix)
    whole = rule.block((0, num_queries), (0, num_keys))
    assert torch.equal(rule.blind_rows(), ~whole.any(-1))
    rows, columns = torch.randint(0, num_queries, (5,)), torch.randint(0, num_keys, (5,))
    assert torch.equal(rule.cells(rows, columns), whole[:, rows, columns])
    for first in range(num_queries):
        first_column, last_column = rule.columns_seen((first, num_queries))
        outside = whole[:, first:].clone()
        outside[..., first_column:last_column] = False
        assert not outside.any()
        block = (first, num_queries), (0, max(1, num_keys // 2))
        assert not rule.is_all_seen(*block) or bool(rule.block(*block).all())
