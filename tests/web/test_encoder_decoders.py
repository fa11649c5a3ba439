"""An encoder–decoder in the Explore room: three attentions, two texts, and the answer."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from explore_page import SENTENCE, ExplorePage
from playwright.sync_api import Page, expect
from studio_process import running_studio

import vitral
from models.sequence_models import TRANSLATORS, tokenizer_of_letters
from vitral.explain import (
    arithmetic,
    attention_graph,
    candidates,
    measures,
    nearest_tokens,
    prediction_change,
    probabilities,
    repeated_trace,
)
from vitral.models import hugging_face

pytestmark = pytest.mark.browser

ANSWER = "La niña lee un libro."
CROSS = "decoder.layers.1.cross_attention.pattern"
AT = {
    "encoder": "encoder.layers.1.attention.pattern",
    "decoder": "decoder.layers.1.attention.pattern",
    "cross": CROSS,
}


@pytest.fixture(scope="module")
def studio(
    built_page: None,
    bart_folder: Path,
    bert_folder: Path,
    t5_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A Studio on the small BART (first), a T5, a recurrent translator and the small BERT."""
    additive = tmp_path_factory.mktemp("models") / "additive"
    hugging_face.write(TRANSLATORS["additive"](), tokenizer_of_letters(), additive)
    with running_studio(bart_folder, t5_folder, additive, bert_folder) as (address, _):
        yield address


@pytest.fixture
def room(page: Page) -> ExplorePage:
    return ExplorePage(page)


@pytest.fixture(scope="module")
def bart(bart_folder: Path) -> Any:
    return vitral.load(str(bart_folder))


def test_the_model_answers_and_every_part_is_reached(room: ExplorePage, bart: Any) -> None:
    room.open(view="numbers", lang="en")
    written = bart.trace_generation(SENTENCE, max_new_tokens=64)
    expect(room.chips).to_have_text([token.text for token in written.tokens])
    for part, count in (("encoder", 3 * 4), ("decoder", 2 * 2), ("cross", 2 * 2)):
        room.page.locator("#part").select_option(part)
        expect(room.page.locator("[role=gridcell]:not(.waiting)")).to_have_count(count)
        queries = written.tokens if part == "encoder" else written.decoder_tokens
        expect(room.chips).to_have_text([token.text for token in queries])
        room.pane(1, 1).click()
        room.page.locator("#source").select_option("2")
        where = "decoder." if part == "cross" else f"{part}."
        kind = "cross_attention" if part == "cross" else "attention"
        room.expect_place(at=f"{where}layers.1.{kind}.pattern", head="1", token="2")
        room.expect_row(written.attention(1, 1, part)[2])


def test_an_answer_that_the_reader_gives(room: ExplorePage, bart: Any) -> None:
    room.open(view="numbers", at=CROSS, head=1, token=3, lang="en")
    box = room.page.get_by_label("Answer", exact=True)
    expect(box).to_have_value("")
    written = bart.trace_generation(SENTENCE, max_new_tokens=64)
    room.expect_row(written.attention(1, 1, "cross")[3])
    box.fill(ANSWER)
    trace = bart.trace(SENTENCE, decoder_text=ANSWER)
    expect(room.chips).to_have_text([token.text for token in trace.decoder_tokens])
    room.expect_place(answer=ANSWER, at=CROSS)
    token = int(room.place()["token"])
    room.expect_row(trace.attention(1, 1, "cross")[token])
    room.page.get_by_role("button", name="Back to the model's own answer").click()
    expect(room.chips).to_have_text([token.text for token in written.decoder_tokens])
    assert "answer" not in room.place()


def test_a_link_opens_the_same_part(room: ExplorePage, bart: Any) -> None:
    room.open(text=SENTENCE, answer=ANSWER, at=CROSS, head=0, token=4, view="numbers")
    trace = bart.trace(SENTENCE, decoder_text=ANSWER)
    expect(room.page.locator("#part")).to_have_value("cross")
    expect(room.page.get_by_label("Respuesta", exact=True)).to_have_value(ANSWER)
    room.expect_row(trace.attention(1, 0, "cross")[4])
    # An address of before there were parts is the first part's.
    room.open(
        text=SENTENCE,
        answer=ANSWER,
        at="layers.2.attention.pattern",
        head=3,
        token=4,
        view="numbers",
    )
    room.expect_place(at="encoder.layers.2.attention.pattern")
    room.expect_row(trace.attention(2, 3)[4])
    # Back to the address before: the part too.
    room.page.locator("#part").select_option("decoder")
    room.expect_place(at="decoder.layers.1.attention.pattern")
    room.page.go_back()
    room.expect_place(at="encoder.layers.2.attention.pattern")
    expect(room.page.locator("#part")).to_have_value("encoder")
    room.expect_row(trace.attention(2, 3)[4])


def test_lines_go_from_one_text_to_the_other(room: ExplorePage, bart: Any) -> None:
    room.open(text=SENTENCE, answer=ANSWER, at=CROSS, head=1, token=3)
    trace = bart.trace(SENTENCE, decoder_text=ANSWER)
    row = trace.attention(1, 1, "cross")[3]
    page = room.page
    expect(page.locator(".left .token")).to_have_text([t.text for t in trace.decoder_tokens])
    expect(page.locator(".right .word")).to_have_text([t.text for t in trace.tokens])
    expect(page.locator(".left .source")).to_have_text(trace.decoder_tokens[3].text)
    best = trace.tokens[int(row.argmax())].text
    expect(page.locator(".right .most .word")).to_have_text(best)
    shown = page.eval_on_selector_all(
        ".right [data-weight]", "all => all.map(o => Math.fround(+o.dataset.weight))"
    )
    assert shown == pytest.approx(row.tolist(), abs=2e-7)
    expect(page.get_by_text("Texto de entrada")).to_be_visible()
    expect(page.get_by_test_id("announcer")).to_contain_text(best)
    # Without a source token: the strongest links of the head, between the two texts.
    page.locator(".left .source").click()
    expect(page.get_by_text("mayores pesos de esta cabeza")).to_be_visible()
    pattern = trace.attention(1, 1, "cross")
    expect(page.locator(".between path")).to_have_count(min(200, int((pattern >= 0.02).sum())))


def test_the_map_is_as_high_as_one_text_and_as_wide_as_the_other(
    room: ExplorePage, bart: Any
) -> None:
    room.open(text=SENTENCE, answer=ANSWER, at=CROSS, head=1, token=3, view="map")
    trace = bart.trace(SENTENCE, decoder_text=ANSWER)
    pattern = trace.attention(1, 1, "cross")
    cells = room.page.get_by_role("application")
    cells.focus()
    for key in ("ArrowDown", "End", "ArrowLeft"):
        room.page.keyboard.press(key)
    query, key_token = trace.decoder_tokens[4].text, trace.tokens[-2].text
    told = room.page.get_by_text(f"«{query}» mira a «{key_token}»")
    expect(told).to_contain_text(f"{float(pattern[4, -2]):.4f}".replace(".", ","))
    box = cells.bounding_box()
    assert box is not None
    cell = box["width"] / len(trace.tokens)
    assert box["height"] / len(trace.decoder_tokens) == pytest.approx(cell, abs=0.01)
    room.page.mouse.move(box["x"] + 8.5 * cell, box["y"] + 1.5 * cell)
    query, key_token = trace.decoder_tokens[1].text, trace.tokens[8].text
    told = room.page.get_by_text(f"«{query}» mira a «{key_token}»")
    expect(told).to_contain_text(f"{float(pattern[1, 8]):.4f}".replace(".", ","))
    room.page.mouse.click(box["x"] + 8.5 * cell, box["y"] + 1.5 * cell)
    room.expect_place(token="1")
    # Closer: fewer columns and rows in sight, at the cell that is pointed at.
    cells.focus()
    room.page.keyboard.press("+")
    room.page.wait_for_function(
        "() => { const box = document.querySelector('.cells').getBoundingClientRect();"
        " return Math.abs(box.width - box.height) < 0.1 }"  # the closest: 8 × 8 cells
    )


def test_a_long_text_and_a_short_answer(room: ExplorePage, t5_folder: Path) -> None:
    t5 = vitral.load(str(t5_folder))
    text = "El perro ladra. El gato duerme en la silla. " * 30
    trace = t5.trace(text, decoder_text=ANSWER)
    length = len(trace.tokens)
    assert length > 256 > len(trace.decoder_tokens)
    pattern = trace.attention(1, 1, "cross")
    room.open(model="small-t5", text=text, answer=ANSWER, at=CROSS, head=1, token=3, view="map")
    cells = room.page.get_by_role("application")
    expect(room.page.get_by_text("Cada celda es la media de varios pesos")).to_be_visible()
    cells.focus()
    room.page.keyboard.press("End")
    mean = pattern[3, 255 * length // 256 :].mean()
    told = room.page.locator("p[aria-live]").filter(has_text="de media")
    expect(told).to_contain_text(f"{float(mean):.4f}".replace(".", ","))
    for _ in range(2):
        room.page.keyboard.press("+")
    told = room.page.get_by_text(f"«{trace.decoder_tokens[3].text}» mira a")
    expect(told).to_contain_text(f"{float(pattern[3, -1]):.4f}".replace(".", ","))
    # All of the text's weights stand in the row, not as many as the answer has tokens.
    room.show("Números")
    expect(room.page.locator("#view")).to_contain_text(trace.tokens[int(pattern[3].argmax())].text)
    best = room.page.locator("tr[data-key] [data-weight]").first
    expect(best).to_have_attribute("data-weight", re.compile(r"."))
    shown = float(best.get_attribute("data-weight") or "nan")
    assert shown == pytest.approx(float(pattern[3].max()), abs=1e-6)


def test_the_arithmetic_between_two_texts(room: ExplorePage, bart: Any) -> None:
    room.open(text=SENTENCE, answer=ANSWER, at=CROSS, head=1, token=3, lang="en")
    room.page.locator("[data-key='8'] button.weight").click()
    trace = bart.trace(SENTENCE, decoder_text=ANSWER)
    found = arithmetic(trace, layer=1, head=1, query=3, key=8, part="cross")
    expect(room.page.locator("[data-dot]")).to_have_text(f"{found.dot:.3f}".replace("-", "−"))
    expect(room.page.locator("tr.chosen td").nth(2)).to_have_text(f"{found.weight:.4f}")
    head = room.page.locator("#view thead").first
    expect(head).to_contain_text(f"q · {trace.decoder_tokens[3].text}")
    expect(head).to_contain_text(f"k · {trace.tokens[8].text}")


def test_a_recurrent_translator(room: ExplorePage) -> None:
    room.open(model="additive", text="gatos 12", view="numbers", token=2, lang="en")
    expect(room.page.locator("#part")).to_have_count(0)  # there is nothing to choose
    room.expect_place(at="decoder.layers.0.cross_attention.pattern")
    expect(room.page.get_by_text("Vitral stopped it after 64 tokens")).to_be_visible()
    for view, said in (
        ("Arithmetic", "there is no arithmetic to show"),
        ("Graph", "follows the tokens of one text"),
        ("Word path", "there is no path to follow"),
        ("Prediction", "A recurrent network has no layers"),
        ("Touch", "you can view it, but not edit it"),
    ):
        room.show(view)
        expect(room.page.locator("#view")).to_contain_text(said)
    expect(room.page.locator("#notice p")).to_have_count(0)


@pytest.mark.parametrize("part", ["encoder", "decoder", "cross"])
def test_heads_and_paths_are_the_parts_own(room: ExplorePage, bart: Any, part: str) -> None:
    room.open(text=SENTENCE, answer=ANSWER, at=AT[part], head=1, token=2, view="heads")
    trace = bart.trace(SENTENCE, decoder_text=ANSWER)
    table = measures(trace, part, repeated=repeated_trace(bart))
    expect(room.page.locator("tr[data-head-row]")).to_have_count(len(table.heads()))
    does = room.page.locator("[data-head-row='1.1'] .does")
    expect(does).to_have_text(table.sentence(1, 1, "es"))
    answers = room.page.get_by_text("El modelo responde a cada una", exact=False)
    room.page.get_by_text("¿Hasta qué punto es fiable?").click()
    expect(room.page.get_by_text("Las otras frases:")).to_be_visible()
    expect(answers).to_have_count(0 if part == "encoder" else 1)
    room.pane(0, 1).hover()  # the window says it, too
    expect(room.page.locator("#window-does")).to_contain_text(table.sentence(0, 1, "es"))
    room.show("Recorrido")
    rows = room.page.locator("tr[data-address]")
    expect(rows).to_have_count(len(table.layers) + 1)
    [(near, _)] = nearest_tokens(trace, 2, 1, part)[1]
    expect(rows.nth(1)).to_contain_text(trace.query_tokens(part)[near].text)
    expect(room.page.locator("#notice p")).to_have_count(0)


def test_the_graph_is_within_a_text(room: ExplorePage, bart: Any) -> None:
    room.open(text=SENTENCE, answer=ANSWER, at=AT["decoder"], head=1, token=4, view="graph")
    trace = bart.trace(SENTENCE, decoder_text=ANSWER)
    graph = attention_graph(trace, 4, part="decoder")
    expect(room.page.locator("[data-edge]")).to_have_count(len(graph.edges))
    room.page.locator("#part").select_option("cross")
    expect(room.page.locator("#view")).to_contain_text("los tokens de un mismo texto")
    room.page.locator("#part").select_option("encoder")
    token = int(room.place()["token"])
    graph = attention_graph(trace, token, part="encoder")
    expect(room.page.locator("[data-edge]")).to_have_count(len(graph.edges))
    assert all(edge.key < len(trace.tokens) for edge in graph.edges)


def test_the_answers_next_token(room: ExplorePage, bart: Any) -> None:
    room.open(text=SENTENCE, answer=ANSWER, at=CROSS, head=1, token=3, view="next", lang="en")
    trace = bart.trace(SENTENCE, decoder_text=ANSWER)
    best = candidates(probabilities(trace, 3), bart, 10)
    rows = room.page.locator("[data-candidate]")
    expect(rows.nth(9)).to_be_visible()
    assert [each.id for each in best] == [
        int(row.get_attribute("data-candidate") or -1) for row in rows.all()[:10]
    ]
    expect(room.page.locator("#view .summary")).to_contain_text(trace.decoder_tokens[3].text)
    expect(rows.locator(".mark")).to_have_count(1)  # the answer's own next token is marked
    room.page.locator("#part").select_option("encoder")
    expect(room.page.locator("#view")).to_contain_text("answers with its decoder")
    expect(rows).to_have_count(0)


def test_every_part_is_touched(room: ExplorePage, bart: Any) -> None:
    room.open(text=SENTENCE, answer=ANSWER, at=CROSS, head=1, token=3, view="touch")
    page = room.page
    before = bart.trace(SENTENCE, decoder_text=ANSWER)
    page.get_by_role("button", name="Silenciar esta cabeza").click()
    with bart.edit() as edit:
        edit.silence(1, 1, part="cross")
        after = bart.trace(SENTENCE, decoder_text=ANSWER)
    room.expect_prediction(prediction_change(before, after, bart, 3))
    room.expect_place(edits="silence-cross-1-1")
    told = page.locator("[data-edit=silence]")
    expect(told).to_contain_text("respuesta → texto · Capa 1, cabeza 1: silenciada")
    expect(page.locator("[role=gridcell].silent")).to_have_count(1)
    # The same head of another part speaks on.
    page.locator("#part").select_option("decoder")
    expect(page.locator("[role=gridcell]:not(.waiting)").first).to_be_visible()
    expect(page.locator("[role=gridcell].silent")).to_have_count(0)
    # A token of the text that is blanked is looked at by neither text.
    page.locator("#part").select_option("cross")
    room.pane(0, 1).click()
    page.locator("li[data-key='5']").get_by_role("button", name="Tapar").click()
    room.expect_place(edits="silence-cross-1-1_blank-5")
    with bart.edit() as edit:
        edit.silence(1, 1, part="cross")
        edit.blank(5, part="cross")
        edit.blank(5, part="encoder")
        after = bart.trace(SENTENCE, decoder_text=ANSWER)
    token = int(room.place()["token"])
    room.expect_prediction(prediction_change(before, after, bart, token))
    expect(page.locator("p .token.blank")).to_have_text(before.tokens[5].text)
    room.show("Números")
    room.expect_row(after.attention(0, 1, "cross")[token])
    page.locator("#part").select_option("encoder")
    room.expect_row(after.attention(0, 1, "encoder")[int(room.place()["token"])])
    expect(page.locator("[role=option].blank")).to_have_text(before.tokens[5].text)
    page.reload()
    room.filled()
    room.expect_row(after.attention(0, 1, "encoder")[int(room.place()["token"])])


def test_touching_leaves_the_models_answer_as_it_was(room: ExplorePage, bart: Any) -> None:
    room.open(text=SENTENCE, at=AT["encoder"], head=1, token=3, view="touch", lang="en")
    page = room.page
    written = bart.trace_generation(SENTENCE, max_new_tokens=64)
    room.selected_pane.focus()
    page.keyboard.press("s")
    room.expect_place(edits="silence-encoder-1-1")
    ids = [token.id for token in written.decoder_tokens]
    with bart.edit() as edit:
        edit.silence(1, 1, part="encoder")
        after = bart.trace(SENTENCE, decoder_ids=ids)
    spoken = [n for n, token in enumerate(written.decoder_tokens) if not token.special]
    place = max(0, spoken[-1] - 1)
    room.expect_prediction(prediction_change(written, after, bart, place))
    page.locator("#place").select_option("0")
    room.expect_prediction(prediction_change(written, after, bart, 0))
    # The heads that moved are of all parts, and each is a way to it.
    share = page.locator("[data-share]").first
    expect(share).to_contain_text("·")
    name = share.inner_text()
    share.click()
    part = {"answer → text": "cross", "decoder": "decoder", "encoder": "encoder"}
    expect(page.locator("#part")).to_have_value(part[name.split(" · ")[0]])


def test_the_same_part_is_compared(room: ExplorePage, bart: Any) -> None:
    room.open(text=SENTENCE, answer=ANSWER, at=CROSS, head=1, token=3, view="compare", lang="en")
    trace = bart.trace(SENTENCE, decoder_text=ANSWER)
    room.expect_place(with_head="0")
    room.expect_largest(trace.attention(1, 1, "cross"), trace.attention(1, 0, "cross"))
    expect(room.page.locator(".side.left")).to_contain_text("answer → text · Layer 1, head 1")
    room.page.get_by_label("Layer on the right").select_option("0")
    room.expect_largest(trace.attention(1, 1, "cross"), trace.attention(0, 0, "cross"))
    # Another text has an answer of its own: what looks is paired, and what is looked at.
    room.page.get_by_label("Text on the right").fill(SENTENCE.replace("gato", "niño"))
    expect(room.page.get_by_text("The difference cannot be computed")).to_be_visible()
    room.page.locator("#part").select_option("encoder")
    expect(room.page.get_by_text("counts as one piece")).to_be_visible()
    rows = room.page.locator("tr[data-piece]")
    expect(rows).to_have_count(len(trace.tokens))


def test_other_models_have_neither_part_nor_answer(room: ExplorePage, bert_folder: Path) -> None:
    room.open(text=SENTENCE, answer=ANSWER, at=CROSS, head=1, view="numbers", lang="en")
    expect(room.page.locator("#answer")).to_have_value(ANSWER)
    room.page.get_by_label("Model").select_option("small-bert")
    trace = vitral.load(str(bert_folder)).trace(SENTENCE)
    expect(room.chips).to_have_text([token.text for token in trace.tokens])
    expect(room.page.locator("#part, #answer")).to_have_count(0)
    room.expect_place(model="small-bert", at="layers.1.attention.pattern")
    room.expect_row(trace.attention(1, 1)[int(room.place()["token"])])
