"""Ways of reading the weights, against numpy on the whole pattern and a grouping made by hand."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import vitral
from explain.hand_wired import trace_of
from made_traces import made_record, made_trace
from vitral.errors import VitralError
from vitral.tracing.attention.visibility import Visibility
from vitral.tracing.readings.reading import Reading
from vitral.tracing.readings.word_groups import word_edges
from vitral.tracing.token import Token

HEADS = 3


def text_trace(length: int, seed: int, causal: bool, special: set[int]) -> vitral.tracing.Trace:
    """Two layers of random queries and keys over letters in words of chance length."""
    rule = Visibility.rule(length, length, causal=causal).item(0)
    records = [
        made_record(length, heads=HEADS, key_heads=HEADS, seed=seed + layer, visibility=rule)
        for layer in range(2)
    ]
    trace = made_trace(*records)
    chance = np.random.default_rng(seed)
    start, tokens = 0, []
    for place in range(length):
        start += int(chance.random() < 0.5)  # a space before it
        tokens.append(Token(place, "x", start, start + 1, special=place in special))
        start += 1
    trace.tokens = tokens
    return trace


def read_by_hand(trace: vitral.tracing.Trace, layer: int, reading: Reading) -> np.ndarray:
    """The definition, in numpy: leave out and scale, mean of heads, words."""
    whole = trace.record(layer).pattern().double().numpy()
    if not reading.resting:
        rests = np.array([token.special for token in trace.tokens])
        rests[0] |= trace.causal
        whole = np.where(rests, 0, whole)
        total = whole.sum(-1, keepdims=True)
        whole = np.divide(whole, total, out=np.zeros_like(whole), where=total > 0)
    if reading.heads is not None:
        whole = whole[list(reading.heads)].mean(0, keepdims=True)
    if reading.words:
        groups, last = [], None
        for place, token in enumerate(trace.tokens):
            joined = last is not None and not (last.special or token.special)
            if joined and last.end == token.start:
                groups[-1].append(place)
            else:
                groups.append([place])
            last = token
        whole = np.stack([whole[:, group].mean(1) for group in groups], 1)
        whole = np.stack([whole[..., group].sum(-1) for group in groups], -1)
    return whole


readings = st.builds(
    Reading,
    resting=st.booleans(),
    words=st.booleans(),
    heads=st.none() | st.lists(st.integers(0, HEADS - 1), min_size=1).map(tuple),
)


@settings(deadline=None, max_examples=60)
@given(
    length=st.integers(2, 40),
    seed=st.integers(0, 10**6),
    causal=st.booleans(),
    special=st.sets(st.integers(0, 39), max_size=4),
    reading=readings,
)
def test_any_reading(
    length: int, seed: int, causal: bool, special: set[int], reading: Reading
) -> None:
    trace = text_trace(length, seed, causal, special)
    heads = reading.heads
    read = trace.read(resting=reading.resting, words=reading.words, heads=heads)
    assert read.reading == reading
    assert Reading.of_name(reading.name) == reading
    for layer in range(2):
        expected = read_by_hand(trace, layer, reading)
        found = read.record(layer).pattern().numpy()
        assert found == pytest.approx(expected, abs=2e-6)
        assert len(read.tokens) == expected.shape[-1]
        sums = found.sum(-1)
        if reading.resting:
            assert sums == pytest.approx(1, abs=1e-5)
        elif heads is None and not reading.words:
            assert all(abs(row) < 1e-6 or abs(row - 1) < 1e-5 for row in sums.flat)
        assert read.pooled(50)[layer].numpy() == pytest.approx(expected, abs=2e-6)
        view = read.view(f"layers.{layer}.attention.pattern", head=0, height=3, width=4)
        edges = [
            [cell * expected.shape[-1] // n for cell in range(n + 1)]
            for n in (min(3, expected.shape[-1]), min(4, expected.shape[-1]))
        ]
        cells = [
            [expected[0, a:b, c:d].mean() for c, d in pairwise(edges[1])]
            for a, b in pairwise(edges[0])
        ]
        assert view.values.numpy() == pytest.approx(np.array(cells), abs=2e-6)


def test_words_are_grouped_by_hand() -> None:
    pattern = torch.tensor(
        [[[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1], [0.0, 0.5, 0.5, 0.0], [0.25] * 4]]
    )
    trace = trace_of(pattern)
    spans = [("[CLS]", None, None), ("persi", 0, 5), ("guió", 5, 9), ("hoy", 10, 13)]
    trace.tokens = [
        Token(n, text, start, end, special=n == 0) for n, (text, start, end) in enumerate(spans)
    ]
    read = trace.read(words=True)
    assert [token.text for token in read.tokens] == ["[CLS]", "persiguió", "hoy"]
    assert (read.tokens[1].start, read.tokens[1].end) == (0, 9)
    by_hand = [[0.1, 0.5, 0.4], [0.2, 0.75, 0.05], [0.25, 0.5, 0.25]]
    assert read.attention(0, 0).tolist() == [pytest.approx(row) for row in by_hand]
    alone = trace.read(words=True, resting=False).attention(0, 0)
    rows = [[0, 5 / 9, 4 / 9], [0, (5 / 6 + 1) / 2, (1 / 6) / 2], [0, 2 / 3, 1 / 3]]
    assert alone.tolist() == [pytest.approx(row, abs=1e-6) for row in rows]


def test_almost_everything_rests_and_the_rest_is_exact() -> None:
    """1 − 0.9999999 would be rounding; the log-sum-exp over the others is not."""
    scores = torch.tensor([[[40.0, 0.0, 1.0]] * 3])
    trace = vitral.Trace.from_tensors(
        [scores], [torch.eye(3)[None]], [torch.eye(3)[None]], scaling=1
    )
    trace.tokens = [Token(0, "[CLS]", special=True), Token(1, "a", 0, 1), Token(2, "b", 2, 3)]
    expected = torch.tensor([0.0, 1.0]).softmax(-1)
    read = trace.read(resting=False).attention(0, 0)
    assert read[:, 0].tolist() == [0, 0, 0]
    assert torch.allclose(read[:, 1:], expected.expand(3, 2), atol=1e-6)
    assert trace.read(resting=False).exactness == trace.exactness == "exact"


@pytest.mark.parametrize("free", ["none", "last", "all", "some"])
def test_a_rule_without_some_keys_is_the_matrix_without_them(free: str) -> None:
    length = 9
    rule = Visibility.rule(length, length, causal=free != "all").item(0)
    mask = rule.block((0, length), (0, length)).clone()
    if free == "some":
        mask[..., 4, :] = True  # a row in the middle that sees all
    if free != "none":
        rule = Visibility.of_mask(mask)
        assert rule.free is None or bool(rule.free.any()) or free == "some"
    left_out = torch.tensor([True, False, False, True, *[False] * 5])
    found = rule.without(left_out).block((0, length), (0, length))
    assert torch.equal(found, mask & ~left_out)


@pytest.mark.parametrize("edit", [False, True])
def test_edited_traces_and_grown_ones_are_read_too(edit: bool) -> None:
    model = vitral.load("vitral-es-bert")
    if edit:
        with model.edit() as edits:
            edits.silence(layer=1, head=2)
            trace = model.trace("El perro persiguió al gato.")
    else:
        trace = model.trace("El perro persiguió al gato.")
    read = trace.read(resting=False, words=True, heads=[1, 3])
    expected = read_by_hand_of_words(trace, [1, 3])
    assert torch.allclose(read.attention(1, 0), expected, atol=2e-6)


def read_by_hand_of_words(trace: vitral.tracing.Trace, heads: list[int]) -> torch.Tensor:
    special = torch.tensor([token.special for token in trace.tokens])
    whole = trace.record(1).pattern()[heads].masked_fill(special, 0)
    whole = (whole / whole.sum(-1, keepdim=True).clamp(min=1e-30)).mean(0)
    edges = word_edges(trace.tokens)
    rows = torch.stack([whole[a:b].mean(0) for a, b in pairwise(edges)])
    return torch.stack([rows[:, a:b].sum(-1) for a, b in pairwise(edges)], -1)


def test_readings_compose_and_mistakes_are_told() -> None:
    trace = text_trace(12, 1, False, {0})
    once = trace.read(resting=False, words=True, heads=[0, 2])
    twice = trace.read(words=True).read(heads=[2, 0]).read(resting=False)
    assert torch.equal(once.attention(1, 0), twice.attention(1, 0))
    assert trace.read() is trace
    assert once.num_layers == trace.num_layers
    assert once.num_heads == 1
    for options, key in (({"heads": []}, "reading_heads"), ({"heads": [7]}, "head_out_of_range")):
        with pytest.raises(VitralError) as raised:
            trace.read(**options)
        assert raised.value.key == key
    with pytest.raises(VitralError) as raised:
        once.save("anywhere")
    assert raised.value.key == "reading_not_saved"
    with pytest.raises(VitralError) as raised:
        Reading.of_name("no-rest~upside-down")
    assert raised.value.key == "reading_unknown"


def test_figures_and_pages_say_how_they_were_read() -> None:
    trace = vitral.load("vitral-es-bert").trace("El perro persiguió al gato.")
    read = trace.read(resting=False, words=True, heads=[1, 3])
    figure = read.plot("heat", layer=2, title="Mi título", language="es")
    said = " ".join(
        text.get_text() for text in figure.findobj(lambda each: hasattr(each, "get_text"))
    )
    assert "Mi título" in said
    assert "sin los tokens de reposo" in said
    assert "por palabras" in said
    page = read.to_html(layer=2, language="es")
    assert '"reading":"no-rest~words~heads-1.3"' in page
    assert "media de las cabezas 1, 3" in page
