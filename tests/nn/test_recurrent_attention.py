"""Recurrent attention against the papers' equations, one number after another."""

import math

import pytest
import torch
from torch import Tensor

from vitral.nn.attention_call import AttentionCall, observer
from vitral.nn.recurrent_attention import RecurrentAttention, RecurrentMemory
from vitral.nn.scaled_dot_product import explicit_attention

REAL = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1]])
HALF_WIDTH = 1


def attention_of(score: str, local: str) -> RecurrentAttention:
    torch.manual_seed(2)
    made = RecurrentAttention(4, score, local, HALF_WIDTH)
    with torch.no_grad():
        for weight in made.parameters():
            weight.normal_()
    return made


def score_slowly(attention: RecurrentAttention, q: Tensor, k: Tensor) -> float:
    part = attention.score
    if hasattr(part, "score"):  # additive: v · tanh(W q + b + U k)
        inner = part.query_proj.weight @ q + part.query_proj.bias + part.key_proj.weight @ k
        return float(part.score.weight[0] @ inner.tanh())
    if part.query_proj is not None:  # general: (W q) · k
        q = part.query_proj.weight @ q
    return float(q @ k)


def pattern_slowly(attention: RecurrentAttention, local: str, q: Tensor, memory: Tensor) -> Tensor:
    """[T, S] of one sequence without padding: q [T, C], memory [S, C]."""
    num_keys = len(memory)
    pattern = torch.zeros(len(q), num_keys)
    for t in range(len(q)):
        centre = math.inf
        if local == "monotonic":
            centre = min(t, num_keys - 1)
        elif local == "predictive":
            window = attention.window
            inner = float(window.place_score.weight[0] @ (window.place_proj.weight @ q[t]).tanh())
            centre = num_keys / (1 + math.exp(-inner))
        seen = [s for s in range(num_keys) if local == "none" or abs(s - centre) <= HALF_WIDTH]
        scores = [score_slowly(attention, q[t], memory[s]) for s in seen]
        total = sum(math.exp(each - max(scores)) for each in scores)
        for s, each in zip(seen, scores, strict=True):
            pattern[t, s] = math.exp(each - max(scores)) / total
            if local == "predictive":
                deviation = HALF_WIDTH / 2
                pattern[t, s] *= math.exp(-((s - centre) ** 2) / (2 * deviation**2))
    return pattern


class Watcher:
    """Keeps the patterns of whatever attention is computed."""

    def __init__(self) -> None:
        self.patterns: list[Tensor] = []

    def observe_attention(self, call: AttentionCall) -> None:
        _, pattern = explicit_attention(
            call.query, call.key, call.value, call.mask, scaling=call.scaling
        )
        self.patterns.append(pattern)

    def observe_pattern(self, module: torch.nn.Module, pattern_BHTS: Tensor) -> None:
        self.patterns.append(pattern_BHTS)


@torch.no_grad()
@pytest.mark.parametrize("local", ["none", "monotonic", "predictive"])
@pytest.mark.parametrize("score", ["additive", "dot", "general"])
def test_attention_is_the_papers(score: str, local: str) -> None:
    attention = attention_of(score, local)
    query, vectors = torch.randn(3, 8, 4), torch.randn(3, 6, 4)
    memory = RecurrentMemory.of(vectors, REAL, [])
    steps = torch.arange(8)[None].expand(3, 8)
    watcher = Watcher()
    token = observer.set(watcher)
    out = attention(query, memory, steps)
    observer.reset(token)
    [pattern] = watcher.patterns
    assert pattern.shape == (3, 1, 8, 6)
    weights = attention.weights(query, attention.keys(memory), memory, steps)
    torch.testing.assert_close(pattern[:, 0], weights, atol=1e-6, rtol=1e-5)
    for row in range(3):
        real = REAL[row].bool()
        expected = pattern_slowly(attention, local, query[row], vectors[row, real])
        torch.testing.assert_close(pattern[row, 0][:, real], expected, atol=1e-5, rtol=1e-4)
        assert bool((pattern[row, 0][:, ~real] == 0).all())
        context = expected @ vectors[row, real] @ attention.o_proj.weight.T
        torch.testing.assert_close(out[row], context, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("local", ["none", "monotonic", "predictive"])
@pytest.mark.parametrize("score", ["additive", "dot", "general"])
def test_everything_that_counts_has_a_gradient(score: str, local: str) -> None:
    attention = attention_of(score, local)
    query = torch.randn(3, 8, 4, requires_grad=True)
    vectors = torch.randn(3, 6, 4, requires_grad=True)
    steps = torch.arange(8)[None].expand(3, 8)
    out = attention(query, RecurrentMemory.of(vectors, REAL, []), steps)
    gradients = torch.autograd.grad(out.pow(2).sum(), [query, vectors, *attention.parameters()])
    assert all(bool(each.isfinite().all()) for each in gradients)
    assert all(float(each.abs().max()) > 1e-6 for each in gradients)
    assert bool((gradients[1][REAL == 0] == 0).all())


def test_a_source_of_padding_alone_gives_numbers() -> None:
    attention = attention_of("additive", "predictive")
    memory = RecurrentMemory.of(torch.randn(2, 3, 4), torch.tensor([[1, 1, 0], [0, 0, 0]]), [])
    out = attention(torch.randn(2, 2, 4), memory, torch.arange(2)[None].expand(2, 2))
    assert bool(out.isfinite().all())


def test_rows_of_a_memory_move_about() -> None:
    states = [(torch.randn(1, 2, 4), torch.randn(1, 2, 4))]
    memory = RecurrentMemory.of(torch.randn(2, 3, 4), torch.tensor([[1, 1, 0], [1, 1, 1]]), states)
    moved = memory.reordered(torch.tensor([1, 1]))
    assert torch.equal(moved.vectors[0], memory.vectors[1])
    assert moved.real.tolist() == [[True] * 3] * 2
    assert torch.equal(moved.states[0][1][:, 0], states[0][1][:, 1])
