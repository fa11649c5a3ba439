"""What a saved notebook shows where no Python runs: plain HTML with the widget's numbers."""

import base64
import re
from xml.etree import ElementTree

import pytest

from made_traces import made_record, made_trace
from vitral.notebook.still import MOST_ROWS, still_html
from vitral.tracing import Trace

SVG = "{http://www.w3.org/2000/svg}"


def picture(html: str) -> ElementTree.Element:
    [encoded] = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    return ElementTree.fromstring(base64.b64decode(encoded).decode())


def test_the_table_is_the_strongest_weights(trace: Trace) -> None:
    html = still_html(trace.show(layer=1, head=2, token=4, language="es"))
    row = trace.attention(1, 2)[4]
    shown = re.findall(r"<td>([^<]*)</td><td>([^<]*)</td><td>([0-9,]+)</td>", html)
    best = row.argsort(descending=True, stable=True)[:MOST_ROWS].tolist()
    assert [weight for *_, weight in shown] == [f"{row[key]:.4f}".replace(".", ",") for key in best]
    assert {source for source, *_ in shown} == {trace.tokens[4].text}
    assert shown[0][1] == trace.tokens[best[0]].text
    assert "ejecuta la celda" in html


def test_the_picture_has_every_token_and_the_rows_weights(trace: Trace) -> None:
    drawn = picture(still_html(trace.show(layer=1, head=2, token=4, language="en")))
    texts = [element.text for element in drawn.iter(f"{SVG}text")]
    for token in trace.tokens:
        assert texts.count(token.text) == 2
    row = trace.attention(1, 2)[4]
    assert [text for text in texts if re.fullmatch(r"\d\.\d\d", text or "")] == [
        f"{weight:.2f}" for weight in row.tolist()
    ]
    widths = [float(path.get("stroke-width", "0")) for path in drawn.iter(f"{SVG}path")]
    assert len(widths) == int((row >= 0.01).sum())
    assert widths == sorted(widths)
    assert widths[-1] == pytest.approx(0.6 + 11 * float(row.max()), abs=0.06)


def test_nothing_in_it_runs_or_is_fetched(trace: Trace) -> None:
    html = still_html(trace.show())
    assert not re.search(r"<script|<style|style=|\bon\w+=|https?:", html)
    assert len(html) < 20_000


def test_words_of_the_text_cannot_be_html() -> None:
    made = made_trace(made_record(4), text='<&">')
    html = still_html(made.show(token=0))
    assert "<td>&lt;</td>" in html
    assert "<" in [element.text for element in picture(html).iter(f"{SVG}text")]


def test_a_long_text_has_a_table_and_no_picture_and_no_head_is_computed_for_it() -> None:
    trace = made_trace(made_record(600))
    html = still_html(trace.show(token=100))
    assert "<img" not in html
    assert html.count("<tr>") == 1 + MOST_ROWS
    shown = trace.show(token=100)
    shown.token = None
    trace.attention = None  # type: ignore[method-assign, assignment]
    html = still_html(shown)
    assert "<table" not in html
    assert "<p>" in html
