"""The widget's traits: what is looked at, told from Python to the picture and back."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from notebook_line import SENTENCE, Line

from made_traces import made_record, made_trace
from models.hybrid_models import jamba, lfm2
from models.sequence_models import tokenizer_of_letters
from vitral.errors import VitralError
from vitral.model import Model
from vitral.notebook import TraceWidget
from vitral.notebook.questions import answer
from vitral.tracing import Trace

LOOKED_AT = {"layer", "head", "token", "key", "view", "scale", "lifted", "language", "theme"}


def test_what_is_not_said_is_chosen_as_explore_chooses(trace: Trace) -> None:
    shown = trace.show()
    assert isinstance(shown, TraceWidget)
    # The longest word, wherever the tokenizer cuts it.
    assert SENTENCE[trace.tokens[shown.token].start :].startswith("persiguió")
    assert (shown.view, shown.scale, shown.lifted, shown.key) == ("lines", "glass", False, None)
    assert (shown.language, shown.theme) == (None, None)
    assert set(shown.get_state()) > LOOKED_AT


def test_what_is_said_is_shown(trace: Trace) -> None:
    shown = trace.show(layer=2, head=3, token=1, view="map", scale="course", theme="dark")
    assert (shown.layer, shown.head, shown.token) == (2, 3, 1)
    assert (shown.view, shown.scale, shown.theme) == ("map", "course", "dark")
    assert trace.show(head=2).layer == 0  # one that is named settles the other


@pytest.mark.parametrize("made", [lfm2, jamba])
def test_layers_without_attention_are_stepped_over(made: Callable[[], Any]) -> None:
    trace = Model(made(), tokenizer_of_letters(), name="mixto").trace("el gato ve")
    shown = trace.show(token=3)
    assert isinstance(shown, TraceWidget)
    assert shown.layer == 2
    assert trace.show(head=1).layer == 2
    assert torch.equal(shown.weights, trace.attention(2, shown.head)[3])
    [part] = answer(shown.answers, "trace", {})["parts"]
    assert (part["num_layers"], part["layers"]) == (4, [2])
    with pytest.raises(VitralError, match=r"Layers with attention: 2\.") as raised:
        shown.layer = 1
    assert raised.value.key == "layer_without_attention"
    assert shown.layer == 2


def test_weights_are_those_of_the_trace(trace: Trace) -> None:
    shown = trace.show(layer=1, head=2, token=3)
    assert torch.equal(shown.weights, trace.attention(1, 2)[3])
    shown.token = None
    assert torch.equal(shown.weights, trace.attention(1, 2))


def test_a_long_texts_row_is_had_without_its_head() -> None:
    trace = made_trace(made_record(600))
    shown = trace.show(head=1, token=500)
    whole = trace.attention
    trace.attention = None  # type: ignore[method-assign, assignment]
    try:
        row = shown.weights
    finally:
        trace.attention = whole  # type: ignore[method-assign]
    assert row.shape == (600,)
    assert torch.allclose(row, trace.attention(0, 1)[500], rtol=0, atol=2e-7)


def test_python_sets_and_the_picture_is_told(line: Line) -> None:
    line.widget.layer = 2
    [(data, _)] = line.sent
    assert data["method"] == "update"
    assert data["state"] == {"layer": 2}


def test_the_picture_sets_and_python_hears(line: Line) -> None:
    line.widget.head, line.widget.token = 0, 1
    seen: list[tuple[str, Any]] = []
    line.widget.observe(
        lambda change: seen.append((change["name"], change["new"])), ["head", "token"]
    )
    line.says({"state": {"head": 3, "token": None}, "buffer_paths": []}, method="update")
    assert (line.widget.head, line.widget.token) == (3, None)
    assert sorted(seen, key=str) == [("head", 3), ("token", None)]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("layer", 3, "layer_out_of_range"),
        ("layer", -1, "layer_out_of_range"),
        ("head", 4, "head_out_of_range"),
        ("token", 99, "token_out_of_range"),
        ("token", -1, "token_out_of_range"),
        ("key", 99, "token_out_of_range"),
        ("view", "graph", "page_option"),
        ("scale", "rainbow", "page_option"),
        ("language", "fr", "page_option"),
        ("theme", "sepia", "page_option"),
    ],
)
def test_what_is_not_there_is_refused_in_words(
    trace: Trace, name: str, value: object, code: str
) -> None:
    shown = trace.show(layer=1, head=1, token=1)
    before = getattr(shown, name)
    with pytest.raises(VitralError) as caught:
        setattr(shown, name, value)
    assert caught.value.key == code
    assert str(value) in caught.value.text("es")
    assert getattr(shown, name) == before
    with pytest.raises(VitralError) as caught:
        trace.show(**{name: value})
    assert caught.value.key == code


def test_a_trace_of_weights_alone_offers_no_arithmetic() -> None:
    pattern = torch.eye(3).expand(1, 2, 3, 3)
    given = Trace.from_tensors(patterns=pattern, tokens=["uno", "dos", "tres"])
    shown = given.show()
    assert shown._views == ["lines", "map", "numbers"]
    with pytest.raises(VitralError) as caught:
        shown.view = "arithmetic"
    assert caught.value.values["known"] == "lines, map, numbers"


def test_tokens_without_a_name_go_by_their_places() -> None:
    between = Trace.from_tensors(patterns=torch.full((1, 1, 2, 3), 1 / 3), tokens=["uno", "dos"])
    summary = between.show().answers.summary()
    assert [token.text for token in summary.decoder_tokens] == ["uno", "dos"]
    assert [token.text for token in summary.tokens] == ["0", "1", "2"]
    assert (summary.parts[0].queries, summary.parts[0].keys) == ("decoder_tokens", "tokens")


def test_a_page_that_was_not_built_is_said(trace: Trace, program: Path) -> None:
    program.unlink()
    with pytest.raises(VitralError) as caught:
        trace.show()
    assert caught.value.key == "page_not_built"


def in_a_fresh_python(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_vitral_does_not_import_the_notebooks_libraries() -> None:
    said = in_a_fresh_python(
        "import sys, vitral, vitral.notebook, vitral.tracing.shown\n"
        "print([n for n in ('anywidget', 'ipywidgets', 'traitlets', 'torch') if n in sys.modules])"
    )
    assert said.strip() == "[]"


def test_without_anywidget_a_trace_is_its_line_and_show_says_what_to_do() -> None:
    said = in_a_fresh_python(
        "import sys, torch\n"
        "sys.modules['anywidget'] = None\n"
        "from vitral.errors import VitralError\n"
        "from vitral.tracing import Trace\n"
        "trace = Trace.from_tensors(patterns=torch.eye(2).expand(1, 1, 2, 2), tokens=['a', 'b'])\n"
        "assert trace._repr_mimebundle_() == {'text/plain': repr(trace)}\n"
        "try:\n    trace.show()\nexcept VitralError as error:\n    print(error.key)"
    )
    assert said.strip() == "notebook_needs_anywidget"


def test_a_cell_that_ends_in_a_trace_shows_the_widget(trace: Trace) -> None:
    data, _ = trace._repr_mimebundle_()
    assert set(data) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}


def test_a_trace_that_nothing_can_show_is_its_line() -> None:
    uneven = Trace.from_tensors(patterns=[torch.full((heads, 2, 2), 0.5) for heads in (1, 2)])
    assert uneven._repr_mimebundle_() == {"text/plain": repr(uneven)}


def test_options_are_named(trace: Trace) -> None:
    with pytest.raises(TypeError, match="colour"):
        trace.show(colour="red")
