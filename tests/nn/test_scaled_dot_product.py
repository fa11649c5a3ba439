"""The slow form, the fast form and the rebuilt pattern say the same."""

from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vitral.nn import scaled_dot_product
from vitral.nn.attention_call import AttentionCall, observer
from vitral.nn.scaled_dot_product import (
    blocked_attention,
    explicit_attention,
    log_sum_exp,
    pattern,
    scaled_dot_product_attention,
    scores,
)


@dataclass
class Listener:
    calls: list[AttentionCall] = field(default_factory=list)

    def observe_attention(self, call: AttentionCall) -> None:
        self.calls.append(call)


def heads(seed: int, groups: int, queries: int, keys: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    query = torch.randn(2, 2 * groups, queries, 5, generator=generator)
    key, value = (torch.randn(2, 2, keys, 5, generator=generator) for _ in range(2))
    return query, key, value


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    groups=st.integers(1, 3),
    queries=st.integers(1, 6),
    keys=st.integers(1, 6),
    kind=st.sampled_from(["none", "causal", "mask", "additive", "bias"]),
    scaling=st.sampled_from([None, 1.0, 0.3]),
)
def test_fast_form_is_the_slow_one(
    seed: int, groups: int, queries: int, keys: int, kind: str, scaling: float | None
) -> None:
    if kind == "causal":
        keys = queries
    query, key, value = heads(seed, groups, queries, keys)
    mask = torch.rand(2, 1, queries, keys, generator=torch.Generator().manual_seed(seed)) > 0.4
    mask[..., 0] = True
    bias = torch.randn(1, 2 * groups, queries, keys)
    given_mask = {"mask": mask, "additive": torch.where(mask, bias, torch.finfo().min)}.get(kind)
    fast, nothing = scaled_dot_product_attention(
        None,
        query,
        key,
        value,
        given_mask,
        scaling=scaling,
        is_causal=kind == "causal",
        position_bias=bias if kind == "bias" else None,
    )
    slow, weights = explicit_attention(
        query,
        key,
        value,
        mask if kind in ("mask", "additive") else None,
        bias=bias if kind in ("additive", "bias") else None,
        scaling=scaling,
        is_causal=kind == "causal",
    )
    assert nothing is None
    torch.testing.assert_close(fast, slow, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), groups=st.integers(1, 3), size=st.integers(1, 7))
def test_any_block_of_the_pattern_comes_back(seed: int, groups: int, size: int) -> None:
    query, key, value = heads(seed, groups, size, size)
    _, weights = explicit_attention(query, key, value, is_causal=True)
    future = torch.ones(size, size, dtype=torch.bool).triu(1)
    score = scores(query, key, 5**-0.5).masked_fill(future, float("-inf"))
    lse = log_sum_exp(score)
    rows, columns = slice(size // 2, size), slice(0, size // 2 + 1)
    rebuilt = pattern(score[..., rows, columns], lse[..., rows])
    torch.testing.assert_close(rebuilt, weights[..., rows, columns], atol=1e-6, rtol=0)


def test_a_query_that_sees_nothing_gives_zeros() -> None:
    query, key, value = heads(0, 1, 4, 4)
    mask = torch.ones(2, 1, 4, 4, dtype=torch.bool)
    mask[:, :, 2] = False
    fast, _ = scaled_dot_product_attention(None, query, key, value, mask)
    slow, weights = explicit_attention(query, key, value, mask)
    assert torch.equal(fast[:, 2], torch.zeros(2, 2, 5))
    assert torch.equal(weights[:, :, 2], torch.zeros(2, 2, 4))
    torch.testing.assert_close(fast, slow)
    score = scores(query, key, 1.0).masked_fill(~mask, float("-inf"))
    assert torch.equal(pattern(score, log_sum_exp(score))[:, :, 2], torch.zeros(2, 2, 4))


def test_observer_sees_each_call_and_changes_nothing() -> None:
    query, key, value = heads(1, 3, 4, 4)
    alone, _ = scaled_dot_product_attention(None, query, key, value, is_causal=True)
    listener = Listener()
    token = observer.set(listener)
    try:
        watched, _ = scaled_dot_product_attention(None, query, key, value, is_causal=True)
    finally:
        observer.reset(token)
    assert torch.equal(alone, watched)
    (call,) = listener.calls
    assert call.is_causal
    assert call.mask is None
    assert call.key.shape == (2, 2, 4, 5), "grouped heads are not repeated"
    assert call.scaling == pytest.approx(5**-0.5)
    assert observer.get() is None


def test_additive_mask_is_told_apart() -> None:
    query, key, value = heads(2, 1, 3, 3)
    listener = Listener()
    token = observer.set(listener)
    additive = torch.zeros(1, 1, 3, 3)
    additive[..., 2] = torch.finfo().min
    additive[..., 1] = 0.5
    scaled_dot_product_attention(None, query, key, value, additive)
    observer.reset(token)
    (call,) = listener.calls
    assert call.mask is not None
    assert call.bias is not None
    assert call.mask[0, 0, 0].tolist() == [True, True, False]
    assert call.bias[0, 0, 0].tolist() == [0.0, 0.5, 0.0]


def test_keys_of_an_empty_cache_are_left_out() -> None:
    query, key, value = heads(3, 1, 3, 5)
    output, _ = scaled_dot_product_attention(None, query, key, value, is_causal=True)
    expected, _ = explicit_attention(query, key[:, :, :3], value[:, :, :3], is_causal=True)
    torch.testing.assert_close(output, expected)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    groups=st.integers(1, 3),
    queries=st.integers(1, 6),
    keys=st.integers(1, 6),
    kind=st.sampled_from(["none", "causal", "mask", "additive"]),
    softcap=st.sampled_from([None, 0.7, 50.0]),
    with_sinks=st.booleans(),
    cells=st.sampled_from([1, 30, 1000]),
)
def test_capped_scores_and_sinks(
    seed: int,
    groups: int,
    queries: int,
    keys: int,
    kind: str,
    softcap: float | None,
    with_sinks: bool,
    cells: int,
) -> None:
    """The blocked form is the slow one, whatever the blocks, and its log-sum-exp is right."""
    keys = queries if kind == "causal" else keys
    query, key, value = heads(seed, groups, queries, keys)
    generator = torch.Generator().manual_seed(seed)
    mask = torch.rand(2, 1, queries, keys, generator=generator) > 0.4
    mask[..., 0] = True
    sinks = torch.randn(2 * groups, generator=generator) if with_sinks else None
    additive = torch.where(mask, 0.0, torch.finfo().min)
    given_mask = {"mask": mask, "additive": additive}.get(kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scaled_dot_product, "CELLS_AT_ONCE", cells)
        fast, lse = blocked_attention(
            query,
            key,
            value,
            given_mask,
            scaling=0.5,
            is_causal=kind == "causal",
            softcap=softcap,
            sinks=sinks,
        )
    allowed = mask if given_mask is not None else torch.ones_like(mask)
    slow, weights = explicit_attention(
        query,
        key,
        value,
        allowed,
        scaling=0.5,
        is_causal=kind == "causal",
        softcap=softcap,
        sinks=sinks,
    )
    torch.testing.assert_close(fast.transpose(1, 2), slow, atol=1e-5, rtol=1e-5)
    allowed = allowed.tril() if kind == "causal" else allowed
    score = scores(query, key, 0.5, softcap).masked_fill(~allowed, float("-inf"))
    torch.testing.assert_close(lse, log_sum_exp(score, sinks), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(pattern(score, lse), weights, atol=1e-5, rtol=0)
    if sinks is not None:
        assert (weights.sum(-1) < 1).all(), "the sink takes its share"


def test_gradients_flow_through_capped_scores_and_sinks() -> None:
    query, key, value = heads(6, 1, 4, 4)
    sinks = torch.zeros(2, requires_grad=True)
    query.requires_grad_()
    output, _ = scaled_dot_product_attention(
        None, query, key, value, is_causal=True, softcap=2.0, s_aux=sinks
    )
    expected, _ = explicit_attention(query, key, value, is_causal=True, softcap=2.0, sinks=sinks)
    torch.testing.assert_close(output, expected)
    found = torch.autograd.grad(output.square().sum(), (query, sinks))
    wanted = torch.autograd.grad(expected.square().sum(), (query, sinks))
    torch.testing.assert_close(found, wanted)


def test_compiled_attention_does_not_consult_the_observer() -> None:
    """The observer's list would break the graph; `torch.compile` must see one whole graph."""
    query, key, value = heads(5, 1, 3, 3)
    listener = Listener()

    @torch.compile(fullgraph=True, backend="eager")
    def compiled(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return scaled_dot_product_attention(None, q, k, v, is_causal=True)[0]

    token = observer.set(listener)
    try:
        output = compiled(query, key, value)
    finally:
        observer.reset(token)
    assert listener.calls == []
    torch.testing.assert_close(output, explicit_attention(query, key, value, is_causal=True)[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", ["none", "causal", "mask", "additive", "bias", "blind"])
@pytest.mark.parametrize(("queries", "width", "values"), [(7, 8, 8), (1, 8, 8), (7, 8, 4)])
def test_watching_changes_no_bit_and_gives_the_log_sum_exp(
    dtype: torch.dtype, kind: str, queries: int, width: int, values: int
) -> None:
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(2, 4, queries, width, generator=generator).to(dtype)
    key = torch.randn(2, 2, 7, width, generator=generator).to(dtype)
    value = torch.randn(2, 2, 7, values, generator=generator).to(dtype)
    mask = torch.rand(2, 1, queries, 7, generator=generator) > 0.4
    mask[..., 0] = True
    if kind == "blind":
        mask[1, :, -1] = False
    bias = torch.randn(1, 4, queries, 7, generator=generator).to(dtype)
    arguments = {
        "mask": (mask,),
        "blind": (mask,),
        "additive": (torch.where(mask, bias, torch.finfo(dtype).min),),
    }.get(kind, ())
    named = {"is_causal": kind == "causal" and queries > 1}
    named["position_bias"] = bias if kind == "bias" else None  # type: ignore[assignment]
    alone, _ = scaled_dot_product_attention(None, query, key, value, *arguments, **named)  # type: ignore[arg-type]
    listener = Listener()
    token = observer.set(listener)
    watched, _ = scaled_dot_product_attention(None, query, key, value, *arguments, **named)  # type: ignore[arg-type]
    observer.reset(token)
    assert torch.equal(alone, watched)
    (call,) = listener.calls
    assert (call.lse is not None) == (width == values), "other widths take another kernel"
    if call.lse is not None:
        score = scores(query, key, call.scaling)
        if call.bias is not None:
            score = score + call.bias.float()
        if call.is_causal:
            score = score.masked_fill(torch.ones(queries, 7).triu(1).bool(), float("-inf"))
        if call.mask is not None:
            score = score.masked_fill(~call.mask, float("-inf"))
        expected = log_sum_exp(score)
        seen = expected.isfinite()
        torch.testing.assert_close(call.lse[seen], expected[seen], atol=1e-5, rtol=1e-5)
