"""What keeps a trace alive that was shown: who holds the widget, or the page that displays it."""

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest

import vitral
from vitral.errors import VitralError
from vitral.notebook import lifetime
from vitral.tracing import Trace


@pytest.fixture
def model(bert_folder: Path) -> vitral.Model:
    return vitral.load(bert_folder)


def shown(model: vitral.Model, *, displayed: bool) -> tuple[Any, Any]:
    """The widget of a new trace, and a weak reference to the trace."""
    trace = model.trace("El gato duerme.")
    widget = trace.show()
    if displayed:
        widget._repr_mimebundle_()
    return widget, weakref.ref(trace)


def alive(reference: Any) -> bool:
    gc.collect()
    return reference() is not None


def test_what_nobody_sees_and_nobody_holds_is_let_go(model: vitral.Model) -> None:
    widget, trace = shown(model, displayed=False)
    assert alive(trace)
    assert widget.weights.shape[0] == len(widget.trace.tokens)
    del widget
    assert not alive(trace)


def test_what_is_displayed_stays_until_it_is_closed(model: vitral.Model) -> None:
    widget, trace = shown(model, displayed=True)
    reference = weakref.ref(widget)
    del widget
    assert alive(trace)
    reference().close()
    assert not alive(trace)


def test_a_closed_widget_that_is_still_held(trace: Trace) -> None:
    widget = trace.show()
    widget.close()
    widget.close()
    assert "let go" in repr(widget)
    with pytest.raises(VitralError) as raised:
        _ = widget.weights
    assert raised.value.key == "widget_closed"


def test_a_cell_that_runs_again_closes_what_it_displayed(
    model: vitral.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = ("cell 1", "first")
    monkeypatch.setattr(lifetime, "_running", lambda: place)
    first, first_trace = shown(model, displayed=True)
    second, second_trace = shown(model, displayed=True)  # two in one cell
    first._repr_mimebundle_()
    assert alive(first_trace)
    assert alive(second_trace)
    place = ("cell 2", "second")
    other, other_trace = shown(model, displayed=True)
    assert alive(first_trace)
    place = ("cell 1", "third")
    third, third_trace = shown(model, displayed=True)
    assert not alive(first_trace)
    assert not alive(second_trace)
    assert alive(third_trace)
    assert alive(other_trace)
    third.close()
    other.close()
    assert not lifetime._displayed
    assert second is not None
