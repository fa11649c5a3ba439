"""The strongest weights are those that sorting the whole pattern finds."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vitral.errors import VitralError
from vitral.explain import strongest_weights
from vitral.tracing import Trace
from vitral.tracing.attention import blocked_pass
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.maps import fine_maps


def plain(pattern: torch.Tensor, count: int, least_key: int, apart: int) -> list[float]:
    """All weights of [T, S], sorted."""
    query = torch.arange(len(pattern))[:, None]
    key = torch.arange(pattern.shape[1])[None, :]
    wanted = (pattern > 0) & (key >= least_key) & ((query - key).abs() >= apart)
    return sorted(pattern[wanted].tolist(), reverse=True)[:count]


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 1000),
    length=st.integers(1, 50),
    causal=st.booleans(),
    largest=st.integers(1, 12),
    cell=st.integers(1, 9),
    fine=st.booleans(),
    count=st.integers(1, 30),
    least_key=st.integers(0, 2),
    apart=st.integers(0, 3),
)
def test_they_are_those_of_the_whole_pattern(
    seed: int,
    length: int,
    causal: bool,
    largest: int,
    cell: int,
    fine: bool,
    count: int,
    least_key: int,
    apart: int,
) -> None:
    generator = torch.Generator().manual_seed(seed)
    q, k, v = (2 * torch.randn(1, 2, length, 8, generator=generator) for _ in range(3))
    trace = Trace.from_tensors(q, k, v, causal=causal)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocked_pass, "LARGEST", largest)
        patch.setattr(fine_maps, "CELL", cell)
        patch.setattr(fine_maps, "FROM", 0 if fine else 1000)
        found = strongest_weights(
            trace, layer=0, head=1, count=count, least_key=least_key, apart=apart
        )
    pattern = trace.attention(0, 1)
    expected = plain(pattern, count, least_key, apart)
    weights = [each.weight for each in found]
    assert weights == pytest.approx(expected, rel=2e-5, abs=1e-9)
    assert weights == sorted(weights, reverse=True)
    assert len({(each.query, each.key) for each in found}) == len(found)
    for each in found:
        assert each.weight == pytest.approx(float(pattern[each.query, each.key]), rel=1e-5)
        assert each.key >= least_key
        assert abs(each.query - each.key) >= apart


def test_few_cells_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a text of 2,000 tokens, as many cells of 8 × 8 weights as weights are asked for."""
    generator = torch.Generator().manual_seed(0)
    q, k, v = (2 * torch.randn(1, 2, 2000, 8, generator=generator) for _ in range(3))
    trace = Trace.from_tensors(q, k, v, causal=True)
    trace.pooled(reduction="max")  # measures it
    expected = plain(trace.attention(0, 1), 20, 0, 0)
    opened = []
    computed = AttentionRecord.pattern

    def counted(self, head=None, rows=None, columns=None):
        opened.append((rows, columns))
        return computed(self, head, rows, columns)

    monkeypatch.setattr(AttentionRecord, "pattern", counted)
    found = strongest_weights(trace, layer=0, head=1, count=20)
    assert [each.weight for each in found] == pytest.approx(expected, rel=2e-5)
    assert len(opened) < 60


def test_what_looks_evenly_at_everything_is_not_searched_to_its_end() -> None:
    same = torch.ones(1, 1, 300, 4)
    trace = Trace.from_tensors(same, same, same)
    found = strongest_weights(trace, layer=0, head=0, count=5)
    assert [each.weight for each in found] == pytest.approx([1 / 300] * 5, rel=1e-4)


def test_mistakes() -> None:
    trace = Trace.from_tensors(patterns=[torch.eye(3)[None]])
    assert len(strongest_weights(trace, layer=0, head=0)) == 3
    assert strongest_weights(trace, layer=0, head=0, apart=1) == []
    for count in (0, 1001):
        with pytest.raises(VitralError) as raised:
            strongest_weights(trace, layer=0, head=0, count=count)
        assert raised.value.key == "option_out_of_range"
    with pytest.raises(VitralError) as raised:
        strongest_weights(trace, layer=0, head=4)
    assert raised.value.key == "head_out_of_range"
