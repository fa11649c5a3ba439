"""Ways of reading the weights in a real browser: what is drawn is what `Trace.read` gives."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from explore_page import SENTENCE, ExplorePage
from playwright.sync_api import Page, expect
from test_sharing import take, texts

import vitral
from vitral.model import Model
from vitral.tracing import Trace

pytestmark = pytest.mark.browser

PLACE = {"at": "layers.1.attention.pattern", "head": 2, "token": 4, "lang": "en"}
SAID = "Read as follows: "
NO_REST = "without resting tokens, the rest scaled"


@pytest.fixture
def room(page: Page) -> ExplorePage:
    return ExplorePage(page)


@pytest.fixture(scope="module")
def bert(bert_folder: Path) -> Model:
    return vitral.load(str(bert_folder))


@pytest.fixture(scope="module")
def trace(bert: Model) -> Trace:
    return bert.trace(SENTENCE)


def chips(room: ExplorePage) -> list[str]:
    return [text.strip() for text in room.chips.all_inner_texts()]


def test_the_switches_change_lines_numbers_and_the_window(room: ExplorePage, trace: Trace) -> None:
    room.open(**PLACE, view="numbers")
    room.expect_row(trace.attention(1, 2)[4])
    page = room.page
    page.get_by_role("button", name=re.compile("^Reading")).click()
    with page.expect_response(lambda answer: "no-rest/pooled" in answer.url):
        page.get_by_label("Without resting tokens").check()
    alone = trace.read(resting=False)
    room.expect_row(alone.attention(1, 2)[4], 2e-6)
    room.expect_place(reading="no-rest", token="4")
    expect(page.locator("[data-reading]")).to_have_text(f"{SAID}{NO_REST}.")
    page.get_by_label("Words instead of pieces").check()
    room.expect_place(reading="no-rest~words")
    words = trace.read(resting=False, words=True)
    expect(room.chips).to_have_count(len(words.tokens))
    place = int(room.place()["token"])
    piece, word = trace.tokens[4], words.tokens[place]
    assert word.start is not None
    assert piece.start is not None
    assert piece.end is not None
    assert word.start <= piece.start
    assert (word.end or 0) >= piece.end
    room.expect_row(words.attention(1, 2)[place], 2e-6)
    assert [text.strip() for text in chips(room)] == [token.text.strip() for token in words.tokens]
    page.keyboard.press("Escape")
    room.show("Lines")
    drawn = page.locator(".right [data-weight]")
    expect(drawn).to_have_count(len(words.tokens))
    weights = [float(each.get_attribute("data-weight") or 0) for each in drawn.all()]
    assert weights == pytest.approx(words.attention(1, 2)[place].tolist(), abs=2e-6)
    page.get_by_role("button", name=re.compile("^Reading")).click()
    place = page.get_by_label("How the weights are read").bounding_box()
    assert place
    assert place["x"] + place["width"] <= page.viewport_size["width"]
    page.get_by_role("button", name="Read them as they are").click()
    expect(page.locator("[data-reading]")).to_have_count(0)
    room.show("Numbers")
    first = next(at for at, token in enumerate(trace.tokens) if token.start == word.start)
    room.expect_row(trace.attention(1, 2)[first])
    assert "reading" not in room.place()


def test_an_address_opens_the_same_reading_and_views_without_it_stay_plain(
    room: ExplorePage, trace: Trace
) -> None:
    place = {**PLACE, "reading": "no-rest~words", "heads": "1.3", "view": "map"}
    room.open(**place)
    read = trace.read(resting=False, words=True, heads=[1, 3])
    expect(room.page.locator("[data-reading]")).to_contain_text("mean of heads 1, 3 · by words")
    room.show("Numbers")
    room.expect_row(read.attention(1, 0)[4], 2e-6)
    room.show("Arithmetic")  # of one weight, as it is: the model's tokens and its own row
    expect(room.page.locator("[data-dot]")).to_be_visible()
    expect(room.page.locator("[data-reading]")).to_have_count(0)
    expect(room.chips).to_have_count(len(trace.tokens))
    room.page.get_by_role("button", name=re.compile("^Reading")).click()
    expect(room.page.get_by_text("shows the weights as they are, of one head")).to_be_visible()
    room.show("Graph")
    expect(room.page.locator("[data-reading]")).to_contain_text(NO_REST)
    expect(room.chips).to_have_count(len(read.tokens))
    expect(room.page.locator("#graph-told")).to_be_visible()


def test_several_heads_one_over_another_and_what_is_taken_along(
    room: ExplorePage, trace: Trace, tmp_path: Path
) -> None:
    room.open(**PLACE, view="lines", reading="no-rest")
    page = room.page
    page.get_by_role("button", name=re.compile("^Reading")).click()
    page.get_by_role("button", name="head 0", exact=True).click()
    room.expect_place(heads="0.2")
    page.get_by_label("Shown").select_option(label="one over another (in the lines)")
    room.expect_place(heads="0.2", overlay="1")
    expect(page.locator("[data-sheet]")).to_have_count(2)
    read = trace.read(resting=False)
    for head in (0, 2):
        some = int((read.attention(1, head)[4] >= 0.004).sum())
        expect(page.locator(f"[data-sheet='{head}'] path")).to_have_count(some)
    colours = {each.get_attribute("stroke") for each in page.locator("[data-sheet]").all()}
    assert len(colours) == 2
    page.keyboard.press("Escape")
    said = "heads 0, 2, one over another; the numbers are their mean"
    svg = take(room, "svg", tmp_path)
    assert svg.name == "vitral-small-bert-layer1-heads0-2-no-rest-lines.svg"
    drawn = " ".join(texts(svg))
    assert said in drawn
    assert NO_REST in drawn
    html = take(room, "page", tmp_path)
    page.goto(html.as_uri())
    expect(page.locator("[data-reading]")).to_contain_text(f"{SAID}{NO_REST} · {said}")
    expect(page.locator("[data-sheet]")).to_have_count(2)
    page.get_by_role("tab", name="Numbers").click()
    both = (read.attention(1, 0)[4] + read.attention(1, 2)[4]) / 2
    room.expect_row(both, 2e-6)


def test_a_decoder_rests_on_its_first_token(room: ExplorePage, llama_folder: Path) -> None:
    model = vitral.load(str(llama_folder))
    trace = model.trace(SENTENCE)
    place: dict[str, Any] = {**PLACE, "view": "numbers", "reading": "no-rest"}
    room.open(model="small-llama", text=SENTENCE, **place)
    read = trace.read(resting=False)
    assert torch.all(read.attention(1, 2)[:, 0] == 0)
    room.expect_row(read.attention(1, 2)[4], 2e-6)
