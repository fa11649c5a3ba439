"""What an edit does to a prediction, against probabilities worked out another way."""

from pathlib import Path

import pytest
import torch

import vitral
from vitral.errors import VitralError
from vitral.explain import prediction_change
from vitral.model import Model
from vitral.tracing import Trace

TEXT = "La niña lee un libro en el jardín."


@pytest.fixture(scope="module")
def llama(llama_folder: Path) -> Model:
    return vitral.load(str(llama_folder))


@pytest.fixture(scope="module")
def pair(llama: Model) -> tuple[Trace, Trace]:
    before = llama.trace(TEXT)
    with llama.edit() as edit:
        edit.silence(0, 1)
        edit.set_cell(1, 2, row=4, column=1, value=0.9)
        return before, llama.trace(TEXT)


def test_numbers_are_those_of_the_softmax(llama: Model, pair: tuple[Trace, Trace]) -> None:
    before, after = (torch.softmax(each["logits"][4].double(), -1) for each in pair)
    found = prediction_change(*pair, llama, 4, count=6)
    assert found.place == 4
    assert [each.id for each in found.before] == before.argsort(descending=True)[:6].tolist()
    assert [each.id for each in found.after] == after.argsort(descending=True)[:6].tolist()
    for each in (*found.before, *found.after, *found.rose, *found.fell):
        assert each.before == pytest.approx(float(before[each.id]), rel=1e-5)
        assert each.after == pytest.approx(float(after[each.id]), rel=1e-5)
    assert found.moved == pytest.approx(float((after - before).abs().sum()) / 2, rel=1e-4)
    assert 0.001 < found.moved < 1
    expected = float((before * (before / after).log()).sum())
    assert found.divergence == pytest.approx(expected, rel=1e-2)
    whole = vitral.difference(*pair).divergence[4]
    assert found.divergence == pytest.approx(float(whole), rel=1e-3)


def test_what_rose_and_what_fell_is_in_order(llama: Model, pair: tuple[Trace, Trace]) -> None:
    before, after = (torch.softmax(each["logits"][-1], -1) for each in pair)
    found = prediction_change(*pair, llama, count=5)
    assert found.place == len(pair[0].tokens) - 1
    changes = [each.change for each in found.rose]
    assert changes == sorted(changes, reverse=True)
    assert changes[0] == pytest.approx(float((after - before).max()), rel=1e-4)
    falls = [each.change for each in found.fell]
    assert falls == sorted(falls)
    assert falls[0] == pytest.approx(float((after - before).min()), rel=1e-4)


def test_nothing_changed_is_said_as_nothing(llama: Model, pair: tuple[Trace, Trace]) -> None:
    found = prediction_change(pair[0], pair[0], llama)
    assert (found.moved, found.divergence, found.rose, found.fell) == (0, 0, [], [])
    assert found.before == found.after


def test_candidates_are_named_by_the_tokenizer(llama: Model, pair: tuple[Trace, Trace]) -> None:
    found = prediction_change(*pair, llama, 3, count=4)
    assert [each.text for each in found.before] == [
        llama.tokenizer.decode([each.id]) or str(each.id) for each in found.before
    ]
    unnamed = prediction_change(*pair, place=3, count=4)
    assert [each.text for each in unnamed.before] == [str(each.id) for each in unnamed.before]


def test_what_cannot_be_compared_is_refused(llama: Model, pair: tuple[Trace, Trace]) -> None:
    with pytest.raises(VitralError) as error:
        prediction_change(pair[0], llama.trace("El gato."))
    assert error.value.key == "traces_differ"
    with pytest.raises(VitralError) as error:
        prediction_change(*pair, place=len(pair[0].tokens))
    assert error.value.key == "token_out_of_range"
