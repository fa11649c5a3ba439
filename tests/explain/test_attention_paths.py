"""The graph below a token: its edges add up to rollout and flow, its weights are the pattern's."""

import pytest
import torch

import vitral
from explain.hand_wired import even, looking_at, trace_of
from parity.random_models import random_model
from vitral.errors import VitralError
from vitral.explain import attention_graph, flow, rollout

BACK = looking_at([0, 0, 1, 2])


def into_inputs(graph: object, length: int) -> torch.Tensor:
    found = torch.zeros(length)
    for edge in graph.edges:  # type: ignore[attr-defined]
        if edge.layer == 0:
            found[edge.key] += edge.weight
    return found


@pytest.mark.parametrize("family", ["gpt2", "bert", "llama"])
def test_the_edges_of_a_rollout_add_up_to_it(family: str) -> None:
    trace = vitral.load(random_model(family)).trace(ids=[3, 8, 5, 9, 11])
    graph = attention_graph(trace, 3, least=0.0, most=10_000)
    expected = rollout(trace, [3])[0]
    torch.testing.assert_close(graph.nodes[0], expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(into_inputs(graph, 5), expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(graph.nodes.sum(1), torch.ones(len(graph.nodes)))
    weights = [edge.weight for edge in graph.edges]
    assert weights == sorted(weights, reverse=True)


def test_weak_edges_are_left_out_and_counted() -> None:
    trace = trace_of(even(4), even(4))
    whole = attention_graph(trace, 1, least=0.0)
    strong = attention_graph(trace, 1, least=0.2)
    assert {edge for edge in whole.edges if edge.weight >= 0.2} == set(strong.edges)
    assert 0 < strong.num_edges < whole.num_edges
    few = attention_graph(trace, 1, least=0.0, most=3)
    assert (len(few.edges), few.num_edges) == (3, whole.num_edges)


def test_attention_follows_what_is_reached_with_its_own_weights() -> None:
    graph = attention_graph(trace_of(BACK, BACK), 3, "attention")
    found = {(edge.layer, edge.query, edge.key): edge.weight for edge in graph.edges}
    assert found == pytest.approx({(1, 3, 2): 1.0, (0, 2, 1): 1.0})
    assert graph.nodes.tolist() == [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_one_head_stands_for_its_layer() -> None:
    forth = looking_at([1, 2, 3, 3])
    trace = trace_of(torch.cat([BACK, forth]), torch.cat([BACK, forth]))
    graph = attention_graph(trace, 1, "attention", head=(1, 1))
    found = {(edge.layer, edge.query, edge.key): edge.weight for edge in graph.edges}
    assert found == pytest.approx({(1, 1, 2): 1.0, (0, 2, 1): 0.5, (0, 2, 3): 0.5})


@pytest.mark.parametrize("family", ["bert", "llama"])
def test_a_flow_is_kept_on_its_way(family: str) -> None:
    trace = vitral.load(random_model(family)).trace(ids=[3, 8, 5, 9])
    graph = attention_graph(trace, 2, "flow", least=0.0)
    torch.testing.assert_close(graph.nodes[0], flow(trace, 2))
    assert graph.source is not None
    others = [float(value) for place, value in enumerate(graph.nodes[0]) if place != 2]
    assert float(graph.nodes[0, graph.source]) == max(others)
    for layer in range(trace.num_layers):
        streams = sum(edge.weight for edge in graph.edges if edge.layer == layer)
        assert streams == pytest.approx(max(others), abs=1e-6)
    assert {edge.key for edge in graph.edges if edge.layer == 0} == {graph.source}
    assert {edge.query for edge in graph.edges if edge.layer == trace.num_layers - 1} == {2}
    chosen = attention_graph(trace, 2, "flow", source=0)
    assert chosen.source == 0


def test_options_without_effect_are_refused() -> None:
    trace = trace_of(BACK)
    for wrong in ({"kind": "rollout", "head": (0, 0)}, {"kind": "attention", "source": 1}):
        with pytest.raises(VitralError, match="does not use"):
            attention_graph(trace, 0, **wrong)  # type: ignore[arg-type]
    with pytest.raises(VitralError, match="no token"):
        attention_graph(trace, 4)
    with pytest.raises(VitralError, match="head"):
        attention_graph(trace, 0, "attention", head=(0, 1))
    with pytest.raises(VitralError, match="layer"):
        attention_graph(trace, 0, "attention", head=(1, 0))
