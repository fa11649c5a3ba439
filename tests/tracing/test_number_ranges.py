"""Numbers that tracing and drawing cannot use are refused in one line, whatever they are."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import vitral
from vitral import Trace, VitralError
from vitral.tracing.memory.byte_size import num_bytes

PATTERN = "layers.1.attention.pattern"
NO_SIZES = [math.nan, math.inf, -math.inf, -1, 0, 1.5, "x"]
NO_INDEXES = [math.nan, math.inf, -1, 1.5, "x", 10**30]


@pytest.fixture(scope="module")
def trace(bert_folder: Path) -> Trace:
    return vitral.load(bert_folder).trace("El gato duerme.")


def refused(ask: Callable[[], object]) -> str:
    with pytest.raises(VitralError) as caught:
        ask()
    assert "\n" not in str(caught.value)
    return caught.value.key


@pytest.mark.parametrize("value", NO_SIZES)
def test_numbers_of_cells_are_whole_and_at_least_one(trace: Trace, value: Any) -> None:
    for size in ("height", "width", "cell"):
        assert refused(lambda size=size: trace.view(PATTERN, 0, **{size: value})) == "view_size"
    assert refused(lambda: trace.pooled(value)) == "view_size"


@pytest.mark.parametrize("value", NO_INDEXES)
def test_layers_heads_and_tokens_are_whole_and_there(trace: Trace, value: Any) -> None:
    assert refused(lambda: trace.attention(value, 0)) == "layer_out_of_range"
    assert refused(lambda: trace.attention(0, value)) == "head_out_of_range"
    assert refused(lambda: trace.view(PATTERN, value)) == "head_out_of_range"
    assert refused(lambda: trace.view(PATTERN, 0, rows=(0, value))) == "rows_out_of_range"
    assert refused(lambda: trace.view(PATTERN, 0, columns=(value, 3))) == "columns_out_of_range"
    for kind in ("heat", "lines"):
        assert refused(lambda kind=kind: trace.plot(kind, layer=value)) == "layer_out_of_range"
        assert refused(lambda kind=kind: trace.plot(kind, head=value)) == "head_out_of_range"
    assert refused(lambda: trace.plot("lines", token=value)) == "figure_token"
    assert refused(lambda: trace.to_html(token=value)) == "figure_token"
    assert refused(lambda: trace.to_html(layer=value)) == "layer_out_of_range"


@pytest.mark.parametrize("rows", [3, (1,), (1, 2, 3), "ab"])
def test_a_range_is_a_pair(trace: Trace, rows: Any) -> None:
    with pytest.raises((TypeError, VitralError), match=r"one past|do not exist"):
        trace.view(PATTERN, 0, rows=rows)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_measures_of_a_figure_are_finite(trace: Trace, value: float) -> None:
    assert refused(lambda: trace.plot(ceiling=value)) == "figure_ceiling"
    assert refused(lambda: trace.plot(width=value)) == "figure_width"
    assert refused(lambda: trace.to_html(most_megabytes=value)) == "option_range"


def test_indexes_may_be_numbers_of_numpy_and_torch(trace: Trace) -> None:
    expected = trace.attention(1, 2)
    assert torch.equal(trace.attention(torch.tensor(1), torch.tensor(2)), expected)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1e30, "x"])
def test_a_trace_of_tensors_has_finite_numbers(value: Any) -> None:
    q = torch.ones(1, 2, 4, 8)
    assert refused(lambda: Trace.from_tensors(q, q, q, scaling=value)) == "option_range"
    if isinstance(value, float) and not math.isfinite(value):
        broken = q.clone()
        broken[0, 0, 0, 0] = value
        assert refused(lambda: Trace.from_tensors(q, broken, q)) == "tensors_not_finite"


@pytest.mark.parametrize("size", ["9" * 400, "1" * 30 + " TB", 2**70, math.nan, -1, "nan GB", True])
def test_a_size_in_bytes_has_a_most(size: Any) -> None:
    assert refused(lambda: num_bytes(size)) == "size_unreadable"
