"""Finer maps of very long texts give the cells that the pattern itself gives."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_blocked_pass import random_record

import vitral
from parity.random_models import random_model
from vitral.tracing.attention import blocked_pass
from vitral.tracing.attention.blocked_pass import measure
from vitral.tracing.maps import fine_maps, reduced
from vitral.tracing.view import edges_of_size, reduce_at_edges


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    shape=st.tuples(st.integers(1, 41), st.integers(1, 41)),
    kind=st.sampled_from(["all", "causal", "window", "padding", "heads"]),
    block=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    largest=st.integers(1, 12),
    cell=st.integers(1, 7),
    times=st.integers(1, 4),
    reduction=st.sampled_from(["mean", "max"]),
)
def test_any_multiple_of_its_cells(
    seed: int,
    shape: tuple[int, int],
    kind: str,
    block: tuple[int, int],
    largest: int,
    cell: int,
    times: int,
    reduction: str,
) -> None:
    record = random_record(seed, shape, kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocked_pass, "BLOCK", block)
        patch.setattr(blocked_pass, "LARGEST", largest)
        patch.setattr(fine_maps, "CELL", cell)
        patch.setattr(fine_maps, "FROM", 0)
        fine = measure(record).fine
    assert fine is not None
    rows, columns = (edges_of_size(0, length, cell * times) for length in shape)
    found = fine.region(3, rows, columns, reduction)  # type: ignore[arg-type]
    assert found is not None
    whole = record.pattern(3)[0]
    expected = reduce_at_edges(lambda _: whole, [(0, shape[0])], rows, columns, reduction)  # type: ignore[arg-type]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    # A part of it, from a cell's edge on.
    part = fine.region(1, rows[-2:], columns[:2], reduction)  # type: ignore[arg-type]
    assert part is not None
    weights = record.pattern(1, (rows[-2], rows[-1]), (0, columns[1]))
    expected = weights.mean() if reduction == "mean" else weights.amax()
    torch.testing.assert_close(part[0, 0], expected, atol=1e-5, rtol=1e-5)


def test_an_edge_inside_a_cell_is_not_served() -> None:
    maps = fine_maps.FineMaps(torch.ones(1, 3, 3), torch.ones(1, 3, 3), (10, 10), 4)
    assert maps.region(0, [0, 4, 8], [0, 8, 10], "mean") is not None
    assert maps.region(0, [0, 5], [0, 4], "mean") is None
    assert maps.region(0, [0, 4], [4, 9], "max") is None


def test_a_long_trace_keeps_them_and_its_views_use_them() -> None:
    model = vitral.load(random_model("llama"))
    ids = [3 + place % 40 for place in range(61)]
    plain = model.trace(ids=ids)
    assert plain.attentions["layers.1.attention"].measures.fine is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fine_maps, "CELL", 4)
        patch.setattr(fine_maps, "FROM", 60)
        long = model.trace(ids=ids)
        foreseen = model.forecast(ids=ids).kept
        fine = long.attentions["layers.1.attention"].measures.fine
        assert fine is not None
        assert foreseen > model.forecast(ids=ids[:60]).kept * 61 / 60
        patch.setattr(reduced, "pooled_at_edges", None)  # nothing is computed again
        address, part = "layers.1.attention.pattern", {"rows": (16, 61), "columns": (8, 40)}
        for reduction in ("mean", "max"):
            found = long.view(address, 2, **part, cell=8, reduction=reduction)
            assert found.values.shape == (6, 4)
            assert found.aggregated
            patch.undo()
            expected = plain.view(address, 2, **part, cell=8, reduction=reduction)
            torch.testing.assert_close(found.values, expected.values, atol=1e-6, rtol=1e-5)
            patch.setattr(reduced, "pooled_at_edges", None)


@pytest.mark.parametrize("cell", [1, 3, 8, 100])
def test_cells_of_a_size(cell: int) -> None:
    trace = vitral.load(random_model("llama")).trace(ids=list(range(3, 26)))
    whole = trace["layers.0.attention.pattern"][1]
    found = trace.view("layers.0.attention.pattern", 1, rows=(2, 21), columns=(0, 20), cell=cell)
    rows, columns = edges_of_size(2, 21, cell), edges_of_size(0, 20, cell)
    assert found.aggregated == (cell > 1)
    expected = reduce_at_edges(lambda _: whole[2:21, :20], [(2, 21)], rows, columns)
    torch.testing.assert_close(found.values, expected, atol=1e-6, rtol=1e-5)


def test_a_cell_has_a_size() -> None:
    trace = vitral.load(random_model("llama")).trace(ids=[3, 4, 5])
    with pytest.raises(vitral.VitralError) as raised:
        trace.view("layers.0.attention.pattern", 0, cell=0)
    assert raised.value.key == "view_size"
