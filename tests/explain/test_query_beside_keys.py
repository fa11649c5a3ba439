"""Query and keys, component by component: the same numbers as the arithmetic of each weight."""

import pytest
import torch

import vitral
from vitral.errors import VitralError
from vitral.explain import arithmetic, query_key
from vitral.tracing import Trace

SENTENCE = "El perro que persiguió al gato cruzó la calle."


@pytest.mark.parametrize("name", ["vitral-es-bert", "vitral-es-gpt"])
def test_each_row_is_the_arithmetic_of_its_weight(name: str) -> None:
    trace = vitral.load(name).trace(SENTENCE)
    met = query_key(trace, layer=2, head=3, query=5, keys=[4, 0, 7])
    for row, key in enumerate((4, 0, 7)):
        one = arithmetic(trace, layer=2, head=3, query=5, key=key)
        torch.testing.assert_close(met.q, one.q)
        torch.testing.assert_close(met.keys[row], one.k)
        torch.testing.assert_close(met.products[row], one.products)
        torch.testing.assert_close(met.scores[row], one.scores[key])
        torch.testing.assert_close(met.weights[row], one.weights[key])


def test_products_add_up_to_the_scores() -> None:
    trace = vitral.load("vitral-es-gpt").trace(SENTENCE)
    met = query_key(trace, layer=1, head=2, query=6)
    sums = met.products.sum(-1) * met.scaling
    assert met.positions == tuple(range(len(trace.tokens)))
    torch.testing.assert_close(sums[:7], met.scores[:7], atol=1e-4, rtol=1e-4)
    assert met.scores[7:].isneginf().all()  # a decoder does not look ahead
    assert float(met.weights.sum()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({"query": 99}, "token_out_of_range"),
        ({"keys": [0, 99]}, "token_out_of_range"),
        ({"head": 9}, "head_out_of_range"),
        ({"layer": 9}, "layer_out_of_range"),
    ],
)
def test_what_is_not_there_is_said(asked: dict[str, object], key: str) -> None:
    trace = vitral.load("vitral-es-bert").trace(SENTENCE)
    with pytest.raises(VitralError) as caught:
        query_key(trace, **({"layer": 0, "head": 0, "query": 0} | asked))  # type: ignore[arg-type]
    assert caught.value.key == key


def test_a_trace_of_patterns_has_no_vectors_to_show() -> None:
    pattern = torch.tensor([[[[0.75, 0.25], [0.5, 0.5]]]])
    with pytest.raises(VitralError) as caught:
        query_key(Trace.from_tensors(patterns=pattern), layer=0, head=0, query=0)
    assert caught.value.key == "arithmetic_unknown"
