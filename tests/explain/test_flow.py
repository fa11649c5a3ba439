"""Rollout, flow and distances between heads, on patterns whose answer is known."""

import math

import pytest
import torch

import vitral
from explain.hand_wired import even, looking_at, trace_of
from parity.random_models import random_model
from vitral.errors import VitralError
from vitral.explain import flow, head_distances, head_map, rollout
from vitral.explain.divergence import classical_scaling

BACK = looking_at([0, 0, 1, 2])


def test_rollout_follows_a_chain_down() -> None:
    trace = trace_of(BACK, BACK)
    found = rollout(trace, residual=0.0)
    torch.testing.assert_close(found, looking_at([0, 0, 0, 1])[0], atol=1e-6, rtol=0)
    half = rollout(trace, [3])
    torch.testing.assert_close(half, torch.tensor([[0, 0.25, 0.5, 0.25]]), atol=1e-6, rtol=0)
    once = rollout(trace, [3], layer=0)
    torch.testing.assert_close(once, torch.tensor([[0, 0, 0.5, 0.5]]), atol=1e-6, rtol=0)


@pytest.mark.parametrize("family", ["gpt2", "bert", "llama"])
def test_rollout_is_the_product_of_matrices(family: str) -> None:
    trace = vitral.load(random_model(family)).trace(ids=[3, 8, 5, 9, 11])
    product = torch.eye(5)
    for layer in range(trace.num_layers):
        mean = trace[f"layers.{layer}.attention.pattern"].mean(0)
        product = (0.5 * mean + 0.5 * torch.eye(5)) @ product
    torch.testing.assert_close(rollout(trace), product, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(rollout(trace, [4, 1]), product[[4, 1]], atol=1e-6, rtol=1e-5)


def test_flow_is_as_wide_as_the_pipes_together() -> None:
    one = trace_of(BACK)
    torch.testing.assert_close(flow(one, 2), torch.tensor([0, 0.5, 0.5, 0]), atol=1e-6, rtol=0)
    # Two layers that look everywhere: through both tokens between, all of it comes up.
    two = trace_of(even(2), even(2))
    torch.testing.assert_close(flow(two, 0, residual=0.0), torch.ones(2), atol=1e-6, rtol=0)
    torch.testing.assert_close(rollout(two, [0], residual=0.0), torch.full((1, 2), 0.5))
    # ¾ and ¼ wide, then half each: what fits is ½ + ¼.
    narrow = trace_of(torch.tensor([[[0.75, 0.25], [0.25, 0.75]]]), even(2))
    found = flow(narrow, 0, [0], residual=0.0)
    torch.testing.assert_close(found, torch.tensor([0.75]), atol=1e-6, rtol=0)


def test_flow_over_a_long_text_is_refused() -> None:
    with pytest.raises(VitralError, match="edges"):
        flow(trace_of(even(250)), 0)


def test_places_that_are_not_there() -> None:
    trace = trace_of(BACK)
    for wrong in (-1, 4):
        with pytest.raises(VitralError, match="no token"):
            rollout(trace, [wrong])
    with pytest.raises(VitralError, match="layer"):
        rollout(trace, layer=1)
    two = vitral.load(random_model("t5")).trace(ids=[3, 8, 5], decoder_ids=[0, 4])
    with pytest.raises(VitralError, match="between two"):
        rollout(two, part="cross")
    assert rollout(two, part="decoder").shape == (2, 2)


def test_distances_of_heads_are_in_bits() -> None:
    # Rows (1, 0) and (½, ½): H(¾, ¼) − ½.
    first, second = looking_at([0, 0]), looking_at([1, 1])
    trace = trace_of(torch.cat([first, second, even(2)]), torch.cat([first, first, even(2)]))
    found = head_distances(trace)
    between = 2 - 0.75 * math.log2(3) - 0.5
    expected = torch.tensor([0, 1, between, 0, 0, between])
    torch.testing.assert_close(found[0], expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(found, found.T)
    points = head_map(trace).points
    assert points.shape == (2, 3, 2)
    torch.testing.assert_close(points[0, 0], points[1, 1], atol=1e-3, rtol=0)


def test_scaling_gives_back_points_of_the_plane() -> None:
    points = torch.tensor([[0.0, 0], [3, 0], [3, 1], [0, 1], [5, 2]])
    squared = torch.cdist(points, points).square()
    found, kept = classical_scaling(squared)
    torch.testing.assert_close(torch.cdist(found, found).square(), squared, atol=1e-4, rtol=1e-4)
    assert kept == pytest.approx(1)
    again, _ = classical_scaling(squared)
    assert torch.equal(found, again)
