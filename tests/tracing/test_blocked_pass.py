"""The blocked pass says of any pattern what its definitions say of the whole matrix."""

import math
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vitral.nn.scaled_dot_product import log_sum_exp
from vitral.tracing.attention import blocked_pass
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.blocked_pass import measure
from vitral.tracing.attention.row_statistics import explicit_statistics
from vitral.tracing.attention.visibility import Bias, Range, Visibility
from vitral.tracing.maps import pooled_region
from vitral.tracing.maps.pooled_maps import LARGEST
from vitral.tracing.view import reduce_blocks


def random_record(
    seed: int,
    shape: tuple[int, int],
    kind: str,
    *,
    bias: str = "none",
    softcap: float | None = None,
    sinks: bool = False,
    uniform: bool = False,
) -> AttentionRecord:
    """Four heads, two of them for each key head."""
    queries, keys = shape
    generator = torch.Generator().manual_seed(seed)
    query = torch.randn(4, queries, 6, generator=generator)
    key, value = (torch.randn(2, keys, 6, generator=generator) for _ in range(2))
    place = torch.arange(queries)[:, None] + keys - queries
    distance = place - torch.arange(keys)[None, :]
    masks = {
        "all": torch.ones(1, queries, keys, dtype=torch.bool),
        "causal": (distance >= 0)[None],
        "window": ((distance >= 0) & (distance < 3))[None],
        "padding": (torch.arange(keys) > keys // 3).expand(1, queries, keys),
        "heads": torch.rand(4, queries, keys, generator=generator) > 0.5,
    }
    biases = {
        "none": None,
        "near": Bias.of_matrix(-0.3 * distance.abs()[None] * torch.arange(1, 5)[:, None, None]),
        "dense": Bias.of_matrix(torch.randn(4, queries, keys, generator=generator)),
    }
    record = AttentionRecord(
        query,
        key,
        value,
        torch.empty(0),
        0.7,
        Visibility.of_mask(masks[kind]),
        biases[bias],
        uniform,
        softcap,
        torch.randn(4, generator=generator) if sinks else None,
    )
    lse = log_sum_exp(record.scores(None, (0, queries), (0, keys)), record.sinks)
    object.__setattr__(record, "lse", lse)
    return record


@settings(deadline=None, max_examples=80)
@given(
    seed=st.integers(0, 10_000),
    shape=st.tuples(st.integers(1, 23), st.integers(1, 23)),
    kind=st.sampled_from(["all", "causal", "window", "padding", "heads"]),
    bias=st.sampled_from(["none", "near", "dense"]),
    softcap=st.sampled_from([None, 1.5]),
    sinks=st.booleans(),
    uniform=st.booleans(),
    block=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    largest=st.integers(1, 12),
)
def test_the_pass_is_the_definition(
    seed: int,
    shape: tuple[int, int],
    kind: str,
    bias: str,
    softcap: float | None,
    sinks: bool,
    uniform: bool,
    block: tuple[int, int],
    largest: int,
) -> None:
    record = random_record(
        seed, shape, kind, bias=bias, softcap=softcap, sinks=sinks, uniform=uniform
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocked_pass, "BLOCK", block)
        patch.setattr(blocked_pass, "LARGEST", largest)
        found = measure(record)
    visible = record.visibility.block((0, shape[0]), (0, shape[1]))
    expected = explicit_statistics(record, visible.sum(-1).float())
    for (name, left), (_, right) in zip(found.statistics.items(), expected.items(), strict=True):
        torch.testing.assert_close(
            left, right, atol=2e-5, rtol=1e-5, msg=lambda m, n=name: f"{n}: {m}"
        )
    assert_maps(record, found.maps.mean, found.maps.maximum, largest)


def assert_maps(
    record: AttentionRecord, mean: torch.Tensor, maximum: torch.Tensor, size: int
) -> None:
    def block(rows: Range) -> torch.Tensor:
        return record.pattern(None, rows)

    rows, columns = [(0, record.num_queries)], (0, record.num_keys)
    for found, reduction in ((mean, "mean"), (maximum, "max")):
        expected = reduce_blocks(block, rows, columns, (size, size), reduction)  # type: ignore[arg-type]
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    kind=st.sampled_from(["all", "causal", "window", "padding", "heads"]),
    bias=st.sampled_from(["none", "near", "dense"]),
    softcap=st.sampled_from([None, 1.5]),
    uniform=st.booleans(),
)
def test_cells_are_the_patterns(
    seed: int,
    shape: tuple[int, int],
    kind: str,
    bias: str,
    softcap: float | None,
    uniform: bool,
) -> None:
    record = random_record(seed, shape, kind, bias=bias, softcap=softcap, uniform=uniform)
    generator = torch.Generator().manual_seed(seed)
    rows, columns = (torch.randint(0, n, (11,), generator=generator) for n in shape)
    whole = record.pattern()
    torch.testing.assert_close(
        record.cells(None, rows, columns), whole[:, rows, columns], atol=1e-5, rtol=1e-5
    )
    torch.testing.assert_close(
        record.cells(2, rows, columns), whole[2, rows, columns], atol=1e-5, rtol=1e-5
    )


def test_a_given_pattern_is_measured_too() -> None:
    """A record with nothing but its public methods."""

    class Given:
        num_heads, num_queries, num_keys = 1, 3, 3
        matrix = torch.tensor([[[1.0, 0, 0], [0.5, 0.5, 0], [0.25, 0.25, 0.5]]])

        def pattern(
            self, head: int | None = None, rows: Range | None = None, columns: Range | None = None
        ) -> torch.Tensor:
            return self.matrix[:, slice(*rows or (0, 3)), slice(*columns or (0, 3))]

        def cells(
            self, head: int | None, rows: torch.Tensor, columns: torch.Tensor
        ) -> torch.Tensor:
            return self.matrix[:, rows, columns]

    found = measure(Given())
    statistics = {name: value.tolist() for name, value in found.statistics.items()}
    assert statistics.pop("entropy")[0] == pytest.approx([0, 0.6931472, 1.0397208])
    assert statistics == {
        "distance": [[0, 0.5, 0.75]],
        "largest": [[1, 0.5, 0.5]],
        "first": [[1, 0.5, 0.25]],
        "own": [[1, 0.5, 0.5]],
        "previous": [[0, 0.5, 0.25]],
        "next": [[0, 0, 0]],
        "received": [[1.75, 0.75, 0.5]],
        "allowed": [[1, 2, 3]],
    }
    assert torch.equal(found.maps.mean, Given.matrix)


@pytest.mark.parametrize("kind", ["everywhere", "the place before"])
def test_distance_is_exact_far_into_a_text(kind: str) -> None:
    """20,000 tokens on, no sum of large numbers is taken from another."""
    rows, length = 300, 20_000
    rule = Visibility.rule(rows, length, causal=False).item(0)
    if kind == "the place before":
        assert rule.diagonal is not None
        rule.diagonal[:] = torch.arange(rows + length - 1) == length - 2
    keys = torch.zeros(1, length, 4)
    lse = torch.full((1, rows), math.log(length) if kind == "everywhere" else 0.0)
    record = AttentionRecord(torch.zeros(1, rows, 4), keys, keys, lse, 1.0, rule, None, False)
    place = torch.arange(length - rows, length)[:, None] - torch.arange(length)[None, :]
    far = place.abs().double().mean(-1) if kind == "everywhere" else torch.ones(rows)
    found = record.statistics.distance[0].double()
    torch.testing.assert_close(found, far.double(), atol=0, rtol=2e-6)


def test_a_sharp_head_costs_no_more_than_a_flat_one() -> None:
    """Weights that are nearly nothing are where torch.exp takes sixty times as long."""
    query = torch.randn(1, 1024, 8, generator=torch.Generator().manual_seed(0))
    took = []
    for sharpness in (0.1, 12.0):
        record = AttentionRecord(
            query,
            query,
            query,
            torch.empty(0),
            sharpness,
            Visibility.rule(1024, 1024, causal=True).item(0),
            None,
            False,
        )
        lse = log_sum_exp(record.scores(None, (0, 1024), (0, 1024)))
        object.__setattr__(record, "lse", lse)
        times = []
        for _ in range(5):
            started = time.process_time()
            measure(record)
            times.append(time.process_time() - started)
        took.append(min(times))
    assert took[1] < 4 * took[0]


@pytest.mark.parametrize("size", [1, 5, 24, 256])
@pytest.mark.parametrize("length", [20, 256, 300])
def test_smaller_maps_from_kept_ones(length: int, size: int) -> None:
    record = random_record(1, (length, length), "causal")
    maps = record.measures.maps
    mean, maximum = maps.at(size), maps.at(size, "max")
    side = min(size, length)
    assert mean.shape == maximum.shape == (4, side, side)
    whole = record.pattern()
    torch.testing.assert_close(maximum.amax((1, 2)), whole.amax((1, 2)))
    if length <= LARGEST:
        assert_maps(record, mean, maximum, size)
    if size == 1:
        torch.testing.assert_close(mean[:, 0, 0], whole.mean((1, 2)))


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(["all", "causal", "window", "padding", "heads"]),
    bias=st.sampled_from(["none", "near"]),
    uniform=st.booleans(),
    edges=st.tuples(*[st.integers(0, 40)] * 4),
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    reduction=st.sampled_from(["mean", "max"]),
    block=st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_any_region(
    seed: int,
    kind: str,
    bias: str,
    uniform: bool,
    edges: tuple[int, int, int, int],
    size: tuple[int, int],
    reduction: str,
    block: tuple[int, int],
) -> None:
    record = random_record(seed, (41, 41), kind, bias=bias, uniform=uniform)
    rows, columns = ((min(pair), max(pair) + 1) for pair in (edges[:2], edges[2:]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocked_pass, "BLOCK", block)
        patch.setattr(pooled_region, "WIDTH", block[1])
        found = pooled_region.pooled_region(record, 3, rows, columns, size, reduction)  # type: ignore[arg-type]
    whole = record.pattern(3, rows)[0]
    expected = reduce_blocks(lambda _: whole[:, slice(*columns)], [rows], columns, size, reduction)  # type: ignore[arg-type]
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


def test_kept_maps_serve_a_view_of_the_same_cells() -> None:
    record = random_record(2, (512, 300), "all")
    maps = record.measures.maps
    whole = record.pattern()
    for size, known in (((256, 256), True), ((64, 256), True), ((64, 100), False)):
        found = maps.exactly(size)
        assert (found is not None) == known
        if found is not None:
            expected = reduce_blocks(lambda _: whole, [(0, 512)], (0, 300), size)
            torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
