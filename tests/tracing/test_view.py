"""Views against numpy on the whole pattern."""

import itertools
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import vitral
from parity.random_models import random_model
from vitral.tracing.attention import attention_record
from vitral.tracing.view import cell_edges, reduce_blocks

LENGTH = 23


@cache
def long_trace() -> vitral.Trace:
    ids = torch.randint(2, 50, (LENGTH,), generator=torch.Generator().manual_seed(0))
    return vitral.load(random_model("llama")).trace(ids=ids)


@pytest.fixture
def trace() -> vitral.Trace:
    return long_trace()


def reduced(matrix: np.ndarray, height: int, width: int, reduction: str) -> np.ndarray:
    rows = cell_edges(0, matrix.shape[0], height)
    columns = cell_edges(0, matrix.shape[1], width)
    cells = [
        [getattr(matrix[a:b, c:d], reduction)() for c, d in itertools.pairwise(columns)]
        for a, b in itertools.pairwise(rows)
    ]
    return np.array(cells)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[int, int]:
    first = draw(st.integers(0, LENGTH - 1))
    return first, draw(st.integers(first + 1, LENGTH))


@settings(deadline=None, max_examples=60)
@given(
    head=st.integers(0, 5),
    rows=ranges(),
    columns=ranges(),
    height=st.integers(1, 30),
    width=st.integers(1, 30),
    reduction=st.sampled_from(["mean", "max"]),
    cells=st.integers(1, 200),
)
def test_any_view(
    head: int,
    rows: tuple[int, int],
    columns: tuple[int, int],
    height: int,
    width: int,
    reduction: str,
    cells: int,
) -> None:
    trace = long_trace()
    with pytest.MonkeyPatch.context() as patch:
        # Many blocks, few rows each.
        patch.setattr("vitral.tracing.maps.reduced.CELLS_AT_ONCE", cells)
        view = trace.view(
            "layers.1.attention.pattern",
            head,
            rows=rows,
            columns=columns,
            height=height,
            width=width,
            reduction=reduction,  # type: ignore[arg-type]
        )
    whole = trace["layers.1.attention.pattern"][head].numpy()
    part = whole[slice(*rows), slice(*columns)]
    expected = reduced(part, height, width, reduction)
    assert view.values.dtype == torch.float32
    assert (view.rows, view.columns) == (rows, columns)
    assert view.aggregated == (part.shape != view.values.shape)
    np.testing.assert_allclose(view.values.numpy(), expected, atol=1e-6)


@given(first=st.integers(0, 50), length=st.integers(1, 100), cells=st.integers(1, 120))
def test_cells_share_out_evenly(first: int, length: int, cells: int) -> None:
    edges = cell_edges(first, first + length, cells)
    sizes = np.diff(edges)
    assert (edges[0], edges[-1]) == (first, first + length)
    assert len(sizes) == min(cells, length)
    assert sizes.max() - sizes.min() <= 1


def test_mean_keeps_the_total() -> None:
    matrix = torch.rand(2, 10, 10)
    small = reduce_blocks(lambda r: matrix[:, r[0] : r[1]], [(0, 4), (4, 10)], (0, 10), (5, 2))
    torch.testing.assert_close(small.sum((1, 2)) * 10, matrix.sum((1, 2)))


def test_pooled_is_every_heads_small_map(trace: vitral.Trace) -> None:
    pooled = trace.pooled(8)
    assert pooled.shape == (3, 6, 8, 8)
    whole = trace["layers.2.attention.pattern"]
    np.testing.assert_allclose(
        pooled[2, 5].numpy(), reduced(whole[5].numpy(), 8, 8, "mean"), atol=1e-6
    )
    assert trace.pooled(8) is pooled
    assert trace.pooled(100).shape == (3, 6, LENGTH, LENGTH)
    torch.testing.assert_close(trace.pooled(100)[2], whole)


@pytest.mark.parametrize("length", [40, 300, 600])
def test_small_maps_are_the_same_whether_measured_or_not(length: int) -> None:
    generator = torch.Generator().manual_seed(length)
    q, k, v = (2 * torch.randn(2, 3, length, 4, generator=generator) for _ in range(3))
    one, other = (vitral.Trace.from_tensors(q, k, v, causal=True) for _ in range(2))
    other.pooled(24, reduction="max")
    assert [record.is_measured for record in one.attentions.values()] == [False, False]
    assert [record.is_measured for record in other.attentions.values()] == [True, True]
    for size in (7, 24, 256):
        torch.testing.assert_close(one.pooled(size), other.pooled(size), atol=1e-6, rtol=1e-5)


def test_views_of_other_values(trace: vitral.Trace) -> None:
    stream = trace["layers.0.residual.post"]
    assert torch.equal(trace.view("layers.0.residual.post").values, stream)
    small = trace.view("layers.0.attention.q", 3, height=4, width=2).values
    expected = reduced(trace["layers.0.attention.q"][3].numpy(), 4, 2, "mean")
    np.testing.assert_allclose(small.numpy(), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("key", "arguments"),
    [
        ("address_unknown", {"address": "layers.9.attention.pattern", "head": 0}),
        ("head_out_of_range", {"head": 6}),
        ("head_out_of_range", {"head": -1}),
        ("head_needed", {}),
        ("rows_out_of_range", {"head": 0, "rows": (0, LENGTH + 1)}),
        ("rows_out_of_range", {"head": 0, "rows": (3, 3)}),
        ("columns_out_of_range", {"head": 0, "columns": (-1, 4)}),
        ("view_size", {"head": 0, "height": 0}),
        ("view_size", {"head": 0, "reduction": "median"}),
    ],
)
def test_wrong_views(trace: vitral.Trace, key: str, arguments: dict[str, object]) -> None:
    with pytest.raises(vitral.VitralError) as raised:
        trace.view(**({"address": "layers.0.attention.pattern"} | arguments))  # type: ignore[arg-type]
    assert raised.value.key == key


def test_records_are_made_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = list(range(2, 30))
    model = vitral.load(random_model("gpt2"))
    whole = model.trace(ids=ids)["layers.1.attention.pattern"]
    monkeypatch.setattr(attention_record, "CELLS_AT_ONCE", 50)
    torch.testing.assert_close(model.trace(ids=ids)["layers.1.attention.pattern"], whole)
