"""What the picture asks over anywidget's messages is answered with the Python API's numbers."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from notebook_line import SENTENCE, Line

import vitral
from made_traces import made_record, made_trace
from vitral.explain import arithmetic, query_key
from vitral.studio.schemas import Studio
from vitral.studio.traces import schemas
from vitral.studio.traces.blocks import decode_block
from vitral.tracing import Token, Trace
from vitral.tracing.attention.given_pattern import GivenPattern

CELL = {"part": "", "layer": 0, "head": 0}


def block(line: Line, ask: str, **values: Any) -> tuple[dict[str, Any], np.ndarray]:
    """The header and numbers of a question's one block."""
    content, buffers = line.ask(ask, **values)
    assert content == {"answer": "x-1"}
    [raw] = buffers
    return decode_block(bytes(raw))


def refused(line: Line, ask: str, **values: Any) -> dict[str, Any]:
    content, buffers = line.ask(ask, **values)
    assert buffers == []
    assert set(content) == {"answer", "error"}
    return content["error"]


def test_the_text_and_model_are_the_traces(line: Line, trace: Trace) -> None:
    studio = Studio.model_validate(line.ask("studio")[0]["found"])
    assert studio.version == vitral.__version__
    assert [model.name for model in studio.models] == [studio.default_model] == [trace.model]
    found = schemas.Trace.model_validate(line.ask("trace")[0]["found"])
    assert (found.text, found.model) == (SENTENCE, trace.model)
    assert (found.num_layers, found.num_heads, found.causal) == (3, 4, False)
    assert [token.text for token in found.tokens] == [token.text for token in trace.tokens]


def test_small_maps_of_all_heads(line: Line, trace: Trace) -> None:
    header, values = block(line, "pooled")
    length = len(trace.tokens)
    assert values.dtype == np.uint8
    assert values.shape == (3, 4, length, length)
    scale = np.array(header["scale"])[:, :, None, None]
    expected = torch.stack(
        [torch.stack([trace.attention(layer, head) for head in range(4)]) for layer in range(3)]
    )
    assert np.abs(values / 255 * scale - expected.numpy()).max() <= 0.5 / 255 + 1e-6
    assert header["aggregated"] is False


def test_a_view_is_the_heads_own_weights_bit_for_bit(line: Line, trace: Trace) -> None:
    length = len(trace.tokens)
    for layer, head in [(0, 0), (2, 3)]:
        header, values = block(
            line,
            "view",
            address=f"layers.{layer}.attention.pattern",
            head=head,
            rows=[0, length],
            columns=[0, length],
            height=length,
            width=length,
        )
        assert header["aggregated"] is False
        assert np.array_equal(values, trace.attention(layer, head).numpy())


def test_query_and_keys_and_the_arithmetic_of_one_weight(line: Line, trace: Trace) -> None:
    header, values = block(line, "query_key", part="", layer=1, head=2, query=3, keys=[0, 5])
    met = query_key(trace, layer=1, head=2, query=3, keys=[0, 5])
    assert np.array_equal(values, torch.cat([met.q[None], met.keys]).numpy())
    assert header["weights"] == met.weights.tolist()
    found = line.ask("arithmetic", part="", layer=1, head=2, query=3, key=5)[0]["found"]
    expected = arithmetic(trace, layer=1, head=2, query=3, key=5)
    assert found["weight"] == expected.weight
    assert found["products"] == expected.products.tolist()


def test_answers_are_what_json_can_carry(line: Line) -> None:
    for ask, values in [
        ("studio", {}),
        ("trace", {}),
        ("arithmetic", {"part": "", "layer": 0, "head": 0, "query": 1, "key": 2}),
    ]:
        json.dumps(line.ask(ask, **values)[0], allow_nan=False)


def test_a_long_text_is_never_sent_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    length = 700
    shown = made_trace(made_record(length, heads=2)).show(token=3)
    line = Line(shown, monkeypatch)
    _, values = block(line, "pooled")
    assert values.shape == (1, 2, 24, 24)
    header, values = block(line, "view", address="layers.0.attention.pattern", head=1)
    assert values.shape == (256, 256)
    assert header["aggregated"] is True
    error = refused(
        line, "view", address="layers.0.attention.pattern", head=1, height=length, width=length
    )
    assert error["code"] == "view_too_large"
    assert {"height": length, "width": length}.items() <= error["values"].items()


@pytest.mark.parametrize(
    ("ask", "values", "code"),
    [
        ("everything", {}, "request_invalid"),
        ("studio", {"more": 1}, "request_invalid"),
        ("view", {}, "request_invalid"),
        ("view", {"address": "layers.0.attention.pattern", "head": -1}, "request_invalid"),
        ("view", {"address": "layers.9.attention.pattern", "head": 0}, "address_unknown"),
        ("view", {"address": "layers.0.attention.pattern", "head": 9}, "head_out_of_range"),
        (
            "arithmetic",
            {"part": "", "layer": 0, "head": 0, "query": 99, "key": 0},
            "token_out_of_range",
        ),
        (
            "query_key",
            {"part": "", "layer": 0, "head": 0, "query": 0, "keys": []},
            "keys_unreadable",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(
    line: Line, ask: str, values: dict[str, Any], code: str
) -> None:
    line.widget.language = "es"
    error = refused(line, ask, **values)
    assert error["code"] == code
    assert error["message"].strip()
    assert "{" not in error["message"]


def test_what_is_no_question_is_let_be(line: Line) -> None:
    for content in ({}, {"question": 1}, {"question": "a", "ask": "trace"}, "trace", None, [1]):
        line.says({"content": content})
    assert line.sent == []


def test_a_mistake_of_ours_is_refused_and_its_traceback_kept(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(line.widget.answers, "summary", fail)
    asked = {"question": "x-2", "ask": "trace", "values": {}}
    with pytest.raises(ZeroDivisionError):
        line.widget._heard(line.widget, asked, [])
    [(data, _)] = line.sent
    assert data["content"]["error"]["code"] == "internal"


def test_each_part_of_an_encoder_and_decoder_answers_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    records = [made_record(5, seed=1), made_record(5, seed=2)]
    made = made_trace(*records)
    prefixes = ("encoder.layers.0.attention", "decoder.layers.0.attention")
    both = Trace(
        "two", made.text, made.tokens, attentions=dict(zip(prefixes, records, strict=True))
    )
    for part, record in zip(("encoder", "decoder"), records, strict=True):
        line = Line(both.show(part=part), monkeypatch)
        _, values = block(line, "view", address=f"{part}.layers.0.attention.pattern", head=1)
        assert np.array_equal(values, record.pattern(1)[0].numpy())
        _, vectors = block(line, "query_key", part=part, layer=0, head=1, query=2, keys=[0])
        assert np.array_equal(vectors[0], record.query[1, 2].numpy())
        assert torch.equal(
            line.widget.weights, both.attention(0, line.widget.head, part)[line.widget.token]
        )


def test_attention_to_another_text_has_its_own_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = torch.rand(2, 2, 4).softmax(-1)
    tokens = [Token(i, word, None, None) for i, word in enumerate(["el", "gato", "duerme", "ya"])]
    answer = [Token(i, word, None, None) for i, word in enumerate(["the", "cat"])]
    attentions = {"decoder.layers.0.cross_attention": GivenPattern.of(pattern, "given")}
    trace = Trace("made", "el gato", tokens, attentions=attentions, decoder_tokens=answer)
    shown = trace.show(part="cross", token=1)
    line = Line(shown, monkeypatch)
    found = schemas.Trace.model_validate(line.ask("trace")[0]["found"])
    [part] = found.parts
    assert (part.queries, part.keys, part.computed) == ("decoder_tokens", "tokens", False)
    assert [token.text for token in found.decoder_tokens] == ["the", "cat"]
    _, small = block(line, "pooled")
    assert small.shape == (1, 2, 2, 4)
    address = part.address.replace("{layer}", "0")
    _, values = block(line, "view", address=address, head=1)
    assert np.array_equal(values, trace.attention(0, 1, "cross").numpy())
    assert np.allclose(values, pattern[1].numpy(), rtol=0, atol=2e-7)
    shown.key = 3  # among those looked at
    assert torch.equal(shown.weights, trace.attention(0, shown.head, "cross")[1])
    assert "<td>cat</td><td>" in shown._repr_mimebundle_()[0]["text/html"]
