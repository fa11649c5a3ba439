"""Trace.plot: the figure shows the trace's own weights, and says what it did to them."""

import io
from functools import cache
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from matplotlib.collections import QuadMesh

import vitral
from made_traces import made_record, made_trace
from parity.random_models import random_model
from vitral.errors import VitralError
from vitral.figures import most_lines
from vitral.nn.pattern_edit import PatternEdit
from vitral.tracing import Trace
from vitral.tracing.attention.edited_record import EditedRecord
from vitral.tracing.attention.given_pattern import GivenPattern


@cache
def causal_trace() -> Trace:
    ids = torch.randint(2, 50, (20,), generator=torch.Generator().manual_seed(0))
    return vitral.load(random_model("llama")).trace(ids=ids)


def drawn(figure) -> np.ma.MaskedArray:
    [cells] = [
        each.get_array()
        for axes in figure.axes
        for each in (*axes.collections, *axes.images)
        if isinstance(each, QuadMesh) or each in axes.images
        if each.get_array().shape[0] > 1
    ]
    return cells


def words(figure) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg")
    texts = ElementTree.fromstring(file.getvalue()).iter("{http://www.w3.org/2000/svg}text")
    return " ".join(text.text or "" for text in texts)


def test_a_map_shows_the_traces_weights_and_hides_what_is_masked() -> None:
    trace = causal_trace()
    figure = trace.plot("heat", layer=2, head=3, language="en")
    weights = trace.attention(layer=2, head=3)
    cells = drawn(figure)
    np.testing.assert_array_equal(cells.data[~cells.mask], weights[~cells.mask])
    np.testing.assert_array_equal(cells.mask, np.triu(np.ones((20, 20)), 1).astype(bool))
    assert f"{trace.model} · layer 2 · head 3" in words(figure)


def test_a_part_is_drawn_as_it_stands_in_the_whole() -> None:
    trace = causal_trace()
    cells = drawn(trace.plot("heat", layer=1, head=0, rows=(5, 12), columns=(0, 9), title=""))
    whole = trace.attention(layer=1, head=0)[5:12, :9].numpy()
    np.testing.assert_allclose(cells.data[~cells.mask], whole[~cells.mask], rtol=1e-6)
    assert cells.mask[0].tolist() == [False] * 6 + [True] * 3


def test_a_long_text_is_drawn_in_blocks_of_what_is_seen() -> None:
    trace = made_trace(made_record(600, width=8))
    figure = trace.plot("heat", language="en")
    assert "600 tokens: each cell is the mean of up to 3 × 3 weights." in words(figure)
    cells = drawn(figure)
    assert cells.shape == (256, 256)
    weights = trace.attention(0, 0)
    assert cells[0, 0] == pytest.approx(float(weights[:2, :2].sum()) / 3, rel=1e-5)
    largest = float(weights[597:, 597:].max())
    assert drawn(trace.plot(reduction="max"))[255, 255] == pytest.approx(largest, rel=1e-5)


def test_a_long_text_in_lines_is_grouped_or_one_tokens() -> None:
    length = 3 * most_lines()
    trace = made_trace(made_record(length))
    assert f"{length} tokens, in groups of up to 3" in words(trace.plot("lines", language="en"))
    one = words(trace.plot("lines", token=100, language="en"))
    assert "the keys are in groups of up to 3" in one


def test_the_grid_has_every_layer_with_its_number() -> None:
    trace = causal_trace()
    figure = trace.plot("grid", language="es")
    assert len([axes for axes in figure.axes if axes.images]) == trace.num_layers * trace.num_heads
    assert "todas las cabezas" in words(figure)
    assert "oculto por la máscara" in words(figure)


def test_attention_between_two_texts_has_both_texts_labels() -> None:
    trace = vitral.load(random_model("t5")).trace(ids=[5, 6, 7, 8], decoder_ids=[9, 10])
    assert drawn(trace.plot("heat", part="cross", layer=1)).shape == (2, 4)
    text = words(trace.plot("heat", part="cross", layer=1, language="en"))
    assert "decoder to encoder" in text
    for token in (*trace.tokens, *trace.decoder_tokens):
        assert token.text in text


def test_a_given_zero_is_a_zero_and_an_edited_cell_is_seen() -> None:
    pattern = torch.tensor([[[0.0, 1.0], [0.5, 0.5]]])
    cells = drawn(made_trace(GivenPattern.of(pattern)).plot("heat"))
    assert not np.ma.getmaskarray(cells).any()
    causal = GivenPattern.of(torch.tensor([[[1.0, 0.0], [1.0, 0.0]]]))
    cells = drawn(made_trace(causal).plot("heat"))
    assert cells.mask.tolist() == [[False, True], [False, False]]


def test_edited_weights_are_those_drawn_also_where_the_mask_would_hide_them() -> None:
    none = torch.zeros(0)
    edit = PatternEdit(
        heads=torch.tensor([1]),
        gates=torch.tensor([0.5]),
        rows=torch.zeros(0, 2, dtype=torch.int64),
        scales=none,
        evens=none,
        cells=torch.tensor([[0, 1, 3]]),
        values=torch.tensor([0.25]),
        given_rows=torch.zeros(0, 2, dtype=torch.int64),
        given=torch.zeros(0, 5),
    )
    record = made_record(5)
    trace = made_trace(EditedRecord.of(record, edit))
    cells = drawn(trace.plot("heat", head=0))
    assert cells[1, 3] == 0.25
    assert cells.mask[1].tolist() == [False, False, True, False, True]
    halved = drawn(trace.plot("heat", head=1)).filled(0)
    np.testing.assert_allclose(halved, record.pattern(1)[0] / 2, rtol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "pie"}, r"pie.*heat, lines, grid"),
        ({"kind": "grid", "layer": 1}, "layer"),
        ({"kind": "heat", "token": 1}, "token"),
        ({"kind": "lines", "reduction": "max"}, "reduction"),
        ({"layer": 3}, "layer 3"),
        ({"head": 6}, "head 6"),
        ({"rows": (5, 50)}, "50"),
        ({"kind": "lines", "token": 20}, "Token 20"),
        ({"part": "cross"}, "cross"),
        ({"width": "wide"}, "wide"),
        ({"scale": "rainbow"}, "rainbow"),
    ],
)
def test_what_cannot_be_drawn_is_said(wrong: dict, said: str) -> None:
    with pytest.raises(VitralError, match=f"(?i){said}"):
        causal_trace().plot(**wrong)
