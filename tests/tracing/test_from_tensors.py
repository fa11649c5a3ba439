"""Tensors from elsewhere become traces like any other."""

from pathlib import Path

import pytest
import torch

import vitral
from vitral.nn.scaled_dot_product import explicit_attention
from vitral.tracing.trace import Trace

Q, K, V = (torch.randn(2, heads, 5, 8) for heads in (4, 2, 2))
PATTERNS = torch.randn(2, 3, 5, 5).softmax(-1)


@pytest.mark.parametrize("causal", [True, False])
def test_queries_and_keys(causal: bool) -> None:
    bias = torch.randn(5, 5)
    mask = torch.ones(5, 5, dtype=torch.bool)
    mask[:, 1] = False
    mask[1, 1] = True
    trace = Trace.from_tensors(Q, K, V, causal=causal, bias=bias, mask=mask, tokens=list("abcde"))
    expected = explicit_attention(Q, K, V, mask, bias=bias, is_causal=causal)[1]
    for layer in range(2):
        pattern = trace[f"layers.{layer}.attention.pattern"]
        torch.testing.assert_close(pattern, expected[layer], atol=1e-6, rtol=0)
        assert torch.equal(trace[f"layers.{layer}.attention.q"], Q[layer])
    assert trace.exactness == "exact"
    assert [token.text for token in trace.tokens] == list("abcde")


def test_patterns_alone(tmp_path: Path) -> None:
    trace = Trace.from_tensors(patterns=PATTERNS)
    torch.testing.assert_close(trace.attention(1, 2), PATTERNS[1, 2], atol=1e-6, rtol=0)
    assert trace.exactness == "given"
    assert "layers.0.attention.q" not in trace, "nothing is known of queries"
    assert (trace.num_layers, trace.num_heads) == (2, 3)
    record = trace.attentions["layers.1.attention"]
    entropy = -torch.xlogy(PATTERNS[1], PATTERNS[1]).sum(-1)
    torch.testing.assert_close(record.statistics.entropy, entropy, atol=1e-5, rtol=0)
    trace.save(tmp_path / "given.vitral")
    again = vitral.open_trace(tmp_path / "given.vitral")
    assert again.exactness == "given"
    assert torch.equal(again.attention(1, 2), trace.attention(1, 2))


@pytest.mark.parametrize(
    ("patterns", "problem"),
    [
        (PATTERNS - 1, "< 0"),
        (PATTERNS * 2, "Σ"),
        (PATTERNS[0], "heads"),
        (torch.full((1, 1, 2, 2), float("nan")), "NaN"),
    ],
)
def test_what_is_no_pattern_is_refused(patterns: torch.Tensor, problem: str) -> None:
    with pytest.raises(vitral.VitralError) as raised:
        Trace.from_tensors(patterns=patterns)
    assert raised.value.key == "pattern_unreadable"
    assert problem in str(raised.value)


def test_tensors_that_do_not_fit_are_refused() -> None:
    for arguments in (
        {"queries": Q, "keys": K[:1], "values": V},
        {"queries": Q, "keys": K[..., :4], "values": V},
        {"queries": Q[:, :3], "keys": K, "values": V},
        {"queries": Q, "keys": K, "values": V, "mask": torch.ones(5, 4)},
        {"queries": Q, "keys": K, "values": V, "tokens": ["one"]},
        {"patterns": []},
    ):
        with pytest.raises(vitral.VitralError) as raised:
            Trace.from_tensors(**arguments)
        assert raised.value.key == "tensors_unfit"
    with pytest.raises(TypeError):
        Trace.from_tensors(Q, K)
    with pytest.raises(TypeError):
        Trace.from_tensors(Q, K, V, patterns=PATTERNS)
