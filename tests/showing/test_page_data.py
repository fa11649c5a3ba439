"""What a page carries: the smaller form, rules once, and a text that stays text."""

import base64
import json
import re

import numpy as np
import pytest
import torch

from made_traces import made_record, made_trace
from vitral.errors import VitralError
from vitral.messages.written_numbers import decimal
from vitral.showing.page_data import page_data
from vitral.tracing import Trace
from vitral.tracing.attention.given_pattern import GivenPattern
from vitral.tracing.attention.visibility import Bias

HOSTILE = "</script><script>alert(1)</script><!--\u2028&é"


def carried(trace: Trace, **options) -> dict:
    page = trace.to_html(**options)
    found = re.findall(
        r'<script type="application/json" id="trace">(.*?)</script>', page, re.DOTALL
    )
    assert len(found) == 1
    return json.loads(found[0])


def unpacked(packed: dict) -> np.ndarray:
    kinds = {"float32": "<f4", "uint8": "u1"}
    content = base64.b64decode(packed["base64"])
    return np.frombuffer(content, kinds[packed["type"]]).reshape(packed["shape"])


def test_a_short_text_carries_its_weights() -> None:
    trace = made_trace(made_record(5, width=8))
    [layer] = carried(trace)["layers"]
    np.testing.assert_array_equal(unpacked(layer["pattern"])[1], trace.attention(0, 1))


def test_a_long_text_carries_queries_and_keys_and_grows_with_its_length() -> None:
    bias = Bias(400, diagonal=torch.randn(2, 799))
    trace = made_trace(*[made_record(400, bias=bias)] * 2)
    data = carried(trace)
    np.testing.assert_array_equal(
        unpacked(data["layers"][0]["query"]), trace["layers.0.attention.q"]
    )
    assert len(data["rules"]) == len(data["biases"]) == 1, "layers share them"
    sizes = [len(made_trace(made_record(length)).to_html()) for length in (200, 400, 800)]
    assert sizes[2] - sizes[1] < 2.1 * (sizes[1] - sizes[0])


def test_bfloat16_stays_two_bytes() -> None:
    record = made_record(200, width=8)
    record.__dict__.update(query=record.query.bfloat16(), key=record.key.bfloat16())
    [layer] = carried(made_trace(record))["layers"]
    assert layer["query"]["type"] == "bfloat16"
    assert len(base64.b64decode(layer["query"]["base64"])) == 2 * record.query.numel()


def test_what_is_known_only_as_a_pattern_is_carried_as_one() -> None:
    weights = torch.rand(2, 300, 300).softmax(-1)
    [layer] = carried(made_trace(GivenPattern.of(weights)))["layers"]
    np.testing.assert_allclose(unpacked(layer["pattern"]), weights, rtol=1e-6)


def test_pooled_maps_are_those_of_the_trace() -> None:
    trace = made_trace(made_record(60), made_record(60, seed=1))
    pooled = page_data(trace, "", "", "")["pooled"]
    scale = np.array(pooled["scale"])[:, :, None, None]
    np.testing.assert_allclose(
        unpacked(pooled["values"]) / 255 * scale, trace.pooled(24), atol=float(scale.max()) / 500
    )


def test_a_text_with_markup_in_it_is_data() -> None:
    trace = made_trace(made_record(len(HOSTILE)), text=HOSTILE)
    page = trace.to_html()
    assert carried(trace)["text"] == HOSTILE
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert page.count("</script>") == 2, "the data's end and the script's"
    assert "&lt;/script&gt;" in page[: page.index("</title>")]


def test_the_page_forbids_itself_every_connection() -> None:
    page = made_trace(made_record(4)).to_html()
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert page.index("Content-Security-Policy") < page.index("<style>") < page.index("<script")


def test_without_a_script_a_table_says_where_each_token_looks_most() -> None:
    trace = made_trace(made_record(4), text="añ<b")
    page = trace.to_html(head=1, language="es")
    [table] = re.findall(r"<noscript>(.*?)</noscript>", page, re.DOTALL)
    weights = trace.attention(0, 1)
    for row in range(4):
        key = int(weights[row].argmax())
        assert f"<td>{key}</td>" in table
        assert f"<td>{decimal(float(weights[row, key]), 4, 'es')}</td>" in table
    assert "<td>&lt;</td>" in table
    assert 'lang="es"' in page


def test_what_it_opens_with_is_in_its_address() -> None:
    trace = made_trace(made_record(4))
    assert carried(trace)["opens"] == ""
    opens = carried(trace, head=1, token=2, view="map", language="es", theme="dark")["opens"]
    assert opens == "?at=layers.0.attention.pattern&head=1&token=2&view=map&lang=es&theme=dark"


def test_a_file_is_written_whole_or_not_at_all(tmp_path) -> None:
    trace = made_trace(made_record(4))
    content = trace.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == content
    with pytest.raises(VitralError, match="nowhere"):
        trace.to_html(tmp_path / "nowhere" / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"most_megabytes": 0.0001}, r"4 tokens would take 0.0\d+ MB.*limit is 0.0001"),
        ({"view": "graph"}, "lines, map, numbers"),
        ({"theme": "sepia"}, "light, dark"),
        ({"language": "fr"}, "en, es"),
        ({"layer": 1}, "layer 1"),
        ({"head": 2}, "head 2"),
        ({"token": 4}, "Token 4"),
    ],
)
def test_what_cannot_be_written_is_said(wrong: dict, said: str) -> None:
    with pytest.raises(VitralError, match=f"(?i){said}"):
        made_trace(made_record(4)).to_html(**wrong)


def test_tokens_that_have_no_names_go_by_their_places() -> None:
    trace = made_trace(made_record(4))
    trace.tokens.pop()
    data = page_data(trace, "", "", "")
    assert [token["text"] for token in data["tokens"]] == ["0", "1", "2", "3"]
    assert data["keys"] is None, "they look at themselves"


def test_two_numbers_of_tokens_are_two_lists() -> None:
    between = Trace.from_tensors(patterns=torch.full((1, 1, 2, 3), 1 / 3), tokens=["uno", "dos"])
    data = page_data(between, "", "", "")
    assert [token["text"] for token in data["tokens"]] == ["uno", "dos"]
    assert [token["text"] for token in data["keys"]] == ["0", "1", "2"]
