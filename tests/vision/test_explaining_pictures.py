"""What is asked of a picture's trace: what means something there, and one line for the rest."""

import pytest

import vitral
from vitral import explain
from vitral.errors import VitralError


@pytest.fixture(scope="module")
def model(vit_folder):
    return vitral.load(vit_folder)


@pytest.fixture(scope="module")
def trace(model, picture_file):
    return model.trace(picture_file)


def test_measures_along_a_line_are_left_out(trace) -> None:
    table = vitral.measures(trace)
    assert set(table) == {
        "entropy",
        "confidence",
        "same",
        "first",
        "separators",
        "hub",
        "resting",
        "writes",
    }
    assert all(table.sentence(layer, 0) for layer in range(3))
    with pytest.raises(VitralError) as raised:
        explain.MEASURES["previous"](trace)
    assert raised.value.key == "picture_measure"


@pytest.mark.parametrize("ask", ["logit_lens", "logit_attribution", "probabilities"])
def test_what_needs_a_vocabulary_says_so(ask, trace, model) -> None:
    second = 3 if ask == "probabilities" else model
    with pytest.raises(VitralError) as raised:
        getattr(explain, ask)(trace, second)
    assert raised.value.key == "picture_needs_text"


def test_rollout_arithmetic_and_paths_hold_for_pictures(trace) -> None:
    assert explain.rollout(trace).shape[-1] == 17
    assert explain.arithmetic(trace, layer=1, head=2, query=3, key=4).weight == pytest.approx(
        float(trace.attention(1, 2)[3, 4]), abs=1e-6
    )
    assert len(explain.nearest_tokens(trace, 3)) == 4


def test_figures_and_pages_name_patches(trace, tmp_path) -> None:
    figure = trace.plot("heat", layer=1, head=2)
    figure.savefig(tmp_path / "head.svg")
    assert "3,2" in (tmp_path / "head.svg").read_text(encoding="utf-8")
    trace.plot("lines", token=0)
    trace.plot("grid")
