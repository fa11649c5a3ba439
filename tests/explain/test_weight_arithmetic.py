"""A weight's arithmetic: the worked example, the model's own numbers, and what is written down."""

import math
import subprocess
import sys

import pytest
import torch

import vitral
from vitral.errors import VitralError
from vitral.explain import arithmetic
from vitral.tracing import Trace

SENTENCE = "El perro que persiguió al gato cruzó la calle."


def ia_avanza(scaling: float = 1.0) -> Trace:
    x = torch.tensor([[[1.0, 2.0], [2.0, 1.0]]])
    values = torch.tensor([[[10.0, 0.0], [0.0, 10.0]]])
    return Trace.from_tensors([x], [x], [values], scaling=scaling, tokens=["IA", "avanza"])


def test_the_worked_example_of_the_course() -> None:
    """Scores 5 and 4, weights 0.73 and 0.27, result [7.3, 2.7]; with 1/√2, [6.7, 3.3]."""
    found = arithmetic(ia_avanza(), layer=0, head=0, query=0, key=0)
    assert found.products.tolist() == [1, 4]
    assert found.scores.tolist() == [5, 4]
    assert found.weights.tolist() == pytest.approx([0.731059, 0.268941], abs=1e-6)
    assert found.output.tolist() == pytest.approx([7.31059, 2.68941], abs=1e-5)
    scaled = arithmetic(ia_avanza(2**-0.5), layer=0, head=0, query=0, key=0)
    assert scaled.weights.tolist() == pytest.approx([0.669762, 0.330238], abs=1e-6)
    assert scaled.output.tolist() == pytest.approx([6.69762, 3.30238], abs=1e-5)


@pytest.mark.parametrize("name", ["vitral-es-bert", "vitral-es-gpt"])
def test_every_line_follows_from_the_one_before_in_a_real_model(name: str) -> None:
    trace = vitral.load(name).trace(SENTENCE)
    last = len(trace.tokens) - 1
    for layer, head, query, key in ((0, 0, 5, 4), (2, 7, last, 1), (5, 3, 6, 0)):
        found = arithmetic(trace, layer=layer, head=head, query=query, key=key)
        assert found.score == pytest.approx(found.dot * found.scaling + found.bias, abs=1e-4)
        visible = [math.exp(score) for score in found.scores.tolist()]
        assert found.weight == pytest.approx(visible[key] / sum(visible), abs=1e-5)
        assert found.weight == pytest.approx(float(trace.attention(layer, head)[query, key]))
        assert float(found.weights.sum()) == pytest.approx(1, abs=1e-5)
        torch.testing.assert_close(found.output, found.weights @ found.values)
        assert found.query_token == trace.tokens[query].text


@pytest.mark.parametrize("key", [0, 4])
def test_the_python_that_is_written_runs_and_gives_the_weight(key: int) -> None:
    trace = vitral.load("vitral-es-gpt").trace(SENTENCE)
    found = arithmetic(trace, layer=1, head=2, query=4, key=key)
    done = subprocess.run(
        [sys.executable, "-I", "-c", found.python()], capture_output=True, text=True, check=True
    )
    weight, output = done.stdout.splitlines()
    assert float(weight) == pytest.approx(found.weight, rel=1e-4)
    assert [float(number) for number in output.strip("[]").split(",")] == pytest.approx(
        found.output.tolist(), abs=1e-5
    )


def test_the_latex_has_every_number_and_escapes_the_words() -> None:
    x = torch.tensor([[[1.0, 2.0], [2.0, 1.0]]])
    trace = Trace.from_tensors([x], [x], [x], scaling=0.5, tokens=["50_%", "ñ"])
    written = arithmetic(trace, layer=0, head=0, query=0, key=1).latex(digits=2)
    assert r"q_{\text{50\_\%}} \cdot k_{\text{ñ}} &= (1.00)(2.00) + (2.00)(1.00)" in written
    assert r"4.00 \cdot 0.50 = 2.00" in written
    assert r"\frac{e^{2.00}}{e^{2.50} + e^{2.00}} = 0.38" in written
    assert written.count("&=") == 5


def test_capped_scores_bias_and_what_may_not_be_seen() -> None:
    x = torch.tensor([[[1.0, 2.0], [2.0, 1.0]]])
    bias = torch.tensor([[0.5, 0.0], [0.0, -1.0]])
    trace = Trace.from_tensors([x], [x], [x], scaling=1.0, bias=bias, causal=True)
    found = arithmetic(trace, layer=0, head=0, query=0, key=0)
    assert (found.bias, found.score) == (0.5, 5.5)
    assert found.scores.tolist()[1] == -math.inf
    assert found.weight == 1
    assert "+ 0.5" in found.python()


def test_mistakes_are_named() -> None:
    trace = ia_avanza()
    for changes, key in (
        ({"layer": 3}, "layer_out_of_range"),
        ({"head": 1}, "head_out_of_range"),
        ({"query": 2}, "token_out_of_range"),
        ({"key": -1}, "token_out_of_range"),
    ):
        with pytest.raises(VitralError) as caught:
            arithmetic(trace, **({"layer": 0, "head": 0, "query": 0, "key": 0} | changes))
        assert caught.value.key == key
    given = Trace.from_tensors(patterns=[torch.full((1, 2, 2), 0.5)])
    with pytest.raises(VitralError) as caught:
        arithmetic(given, layer=0, head=0, query=0, key=0)
    assert caught.value.key == "arithmetic_unknown"
