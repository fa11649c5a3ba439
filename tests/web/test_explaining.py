"""The views of a whole text in a real browser: their numbers are those of Python."""

import re
from pathlib import Path

import pytest
from explore_page import SENTENCE, ExplorePage
from playwright.sync_api import Page, expect
from serious import serious

import vitral
from vitral.explain import (
    MEASURES,
    attention_graph,
    blanked,
    candidates,
    logit_lens,
    measures,
    path_cosines,
    probabilities,
    repeated_trace,
    roles_elsewhere,
    word_paths,
)
from vitral.model import Model

pytestmark = pytest.mark.browser

OTHER = "La niña persiguió al gato en el jardín."


@pytest.fixture
def room(page: Page) -> ExplorePage:
    return ExplorePage(page)


@pytest.fixture(scope="module")
def bert(bert_folder: Path) -> Model:
    return vitral.load(str(bert_folder))


@pytest.fixture(scope="module")
def llama(llama_folder: Path) -> Model:
    return vitral.load(str(llama_folder))


def spanish(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace(".", ",")


def shown(room: ExplorePage, selector: str, name: str) -> list[float]:
    """The numbers that the elements carry, in the order of the page."""
    expect(room.page.locator(selector).first).to_be_attached()
    return [
        float(value)
        for value in room.page.eval_on_selector_all(
            selector, f"all => all.map(each => each.dataset.{name})"
        )
    ]


def test_heads_have_their_measures(room: ExplorePage, bert: Model) -> None:
    room.open(view="heads", at="layers.1.attention.pattern", head=2)
    table = measures(bert.trace(SENTENCE), repeated=repeated_trace(bert), model=bert)
    rows = room.page.locator("tr[data-head-row]")
    expect(rows).to_have_count(12)
    for name in MEASURES:
        found = shown(room, f"[data-measure='{name}']", "value")
        assert found == pytest.approx(table[name].flatten().tolist(), abs=1e-6)
    row = room.page.locator("[data-head-row='1.2']")
    expect(row.locator(".does")).to_have_text(table.sentence(1, 2, "es"))
    elsewhere = roles_elsewhere(bert, repeated=repeated_trace(bert))
    share = float(elsewhere.constancy(table)[1, 2])
    count = round(share * len(elsewhere.sentences))
    expect(row.locator("td").nth(1)).to_have_text(f"{count} de {len(elsewhere.sentences)}")
    # The measure that is chosen says what it means.
    room.page.locator("#measure").select_option("distance")
    expect(room.page.locator(".meaning")).to_have_text(MEASURES["distance"].sentence("es"))
    cell = room.page.locator("[data-measured='1.2']")
    expect(cell).to_have_attribute(
        "aria-label", re.compile(f"distancia: {spanish(float(table['distance'][1, 2]), 1)}")
    )


def test_heads_are_sorted_by_keyboard_and_chosen(room: ExplorePage, bert: Model) -> None:
    room.open(view="heads", at="layers.1.attention.pattern", head=2)
    table = measures(bert.trace(SENTENCE), repeated=repeated_trace(bert))
    by_size = sorted(table.heads(), key=lambda each: -each["hub"])
    column = room.page.locator("th", has=room.page.get_by_role("button", name="centro"))
    expect(column).to_have_attribute("aria-sort", "none")
    column.get_by_role("button").focus()
    room.page.keyboard.press("Enter")
    expect(column).to_have_attribute("aria-sort", "descending")
    first = by_size[0]
    rows = room.page.locator("tr[data-head-row]")
    expect(rows.first).to_have_attribute("data-head-row", f"{first['layer']}.{first['head']}")
    room.page.keyboard.press("Enter")
    expect(column).to_have_attribute("aria-sort", "ascending")
    last = by_size[-1]
    expect(rows.first).to_have_attribute("data-head-row", f"{last['layer']}.{last['head']}")
    # Enter on a row chooses its head in the room.
    rows.first.get_by_role("button").focus()
    room.page.keyboard.press("Enter")
    room.expect_place(at=f"layers.{last['layer']}.attention.pattern", head=str(last["head"]))
    expect(room.pane(last["layer"], last["head"])).to_have_attribute("aria-selected", "true")
    # In the map, the arrows do.
    room.page.locator("[data-measured][tabindex='0']").focus()
    room.page.keyboard.press("Home")
    room.expect_place(head="0")
    expect(room.page.locator(f"[data-measured='{last['layer']}.0']")).to_be_focused()


def test_idle_heads_are_said_to_be_idle(page: Page, studio: str) -> None:
    """A head that is silenced writes nothing, and no other here writes next to nothing."""
    room = ExplorePage(page).open(view="heads", model="vitral-es-bert", edits="silence-2-3")
    model = vitral.load("vitral-es-bert")
    with model.edit() as edit:
        edit.silence(layer=2, head=3)
        table = measures(model.trace(SENTENCE), repeated=repeated_trace(model), model=model)
    idle = [each for each in table.heads() if each["role"] == "idle"]
    assert [(each["layer"], each["head"]) for each in idle] == [(2, 3)]
    expect(room.page.locator("[data-measured].idle")).to_have_count(1)
    one = room.page.locator("[data-head-row='2.3']")
    expect(one).to_contain_text("inactiva: escribe un 0 %")
    expect(room.page.locator(".counts")).to_contain_text("1 están inactivas")
    # The window says so too, of the head that has the keyboard's focus.
    room.pane(2, 3).click()
    expect(room.page.locator("#window-does")).to_contain_text("inactiva")


@pytest.mark.parametrize(
    ("name", "kind"), [("Rollout", "rollout"), ("Atención", "attention"), ("Flujo", "flow")]
)
def test_the_graph_has_the_weights_of_python(
    room: ExplorePage, bert: Model, name: str, kind: str
) -> None:
    room.open(view="graph", token=4)
    room.page.get_by_role("button", name=name).click()
    room.page.locator("#graph-least").select_option("0.05")
    expected = attention_graph(bert.trace(SENTENCE), 4, kind, least=0.05)  # type: ignore[arg-type]
    edges = {f"{e.layer}:{e.query}:{e.key}": e.weight for e in expected.edges}
    expect(room.page.locator("[data-edge]")).to_have_count(len(edges))
    drawn = dict(
        room.page.eval_on_selector_all(
            "[data-edge]", "all => all.map(e => [e.dataset.edge, +e.dataset.weight])"
        )
    )
    assert drawn == pytest.approx(edges, abs=1e-5)
    if kind != "attention":
        assert shown(room, "[data-input]", "share") == pytest.approx(
            expected.nodes[0].tolist(), abs=1e-5
        )
    room.page.get_by_text("Lo mismo, en una tabla").click()
    told = shown(room, "td[data-weight]", "weight")
    assert told == pytest.approx([edge.weight for edge in expected.edges], abs=1e-5)
    expect(room.page.locator(".below")).to_contain_text(f"las {len(edges)} líneas de 5 % o más")


def test_a_node_lights_its_ways_by_keyboard(room: ExplorePage, bert: Model) -> None:
    room.open(view="graph", token=4)
    expect(room.page.locator("[data-edge]").first).to_be_attached()
    graph = attention_graph(bert.trace(SENTENCE), 4)
    plane = room.page.locator("#view [role=application]")
    plane.focus()
    for _ in range(3):
        room.page.keyboard.press("ArrowRight")
    told = room.page.locator("#graph-told")
    expect(told).to_contain_text("en la entrada")
    token = bert.tokens(SENTENCE)[4].text
    expect(told).to_contain_text(f"«{token}»")
    expect(told).to_contain_text(f"{spanish(100 * float(graph.nodes[0, 4]), 1)} %")
    dim = room.page.eval_on_selector_all(
        "[data-edge]", "all => all.filter(e => +e.getAttribute('opacity') < 0.2).length"
    )
    assert 0 < dim < len(graph.edges)
    room.page.keyboard.press("ArrowUp")
    above = max(e.key for e in graph.edges if e.layer == 0 and e.key < 4)
    expect(told).to_contain_text(f"«{bert.tokens(SENTENCE)[above].text}»")
    room.page.keyboard.press("Enter")
    room.expect_place(token=str(above))


def test_one_head_of_the_graph(room: ExplorePage, bert: Model) -> None:
    room.open(view="graph", token=4, at="layers.2.attention.pattern", head=1)
    room.page.get_by_role("button", name="Atención").click()
    room.page.locator("#graph-heads").select_option("one")
    graph = attention_graph(bert.trace(SENTENCE), 4, "attention", head=(2, 1), least=0.1)
    top = [edge for edge in graph.edges if edge.layer == 2]
    expect(room.page.locator("[data-edge^='2:']")).to_have_count(len(top))
    pattern = bert.trace(SENTENCE).attention(2, 1)
    for edge in top:
        drawn = room.page.locator(f"[data-edge='2:4:{edge.key}']").get_attribute("data-weight")
        assert float(drawn or "nan") == pytest.approx(float(pattern[4, edge.key]), abs=1e-5)


def test_a_flow_over_a_long_text_says_why_not(room: ExplorePage) -> None:
    room.open(view="graph", model="long-llama", text=" ".join([SENTENCE] * 30), token=200)
    expect(room.page.locator("[data-edge]").first).to_be_attached()
    expect(room.page.locator(".below")).to_contain_text("sin líneas no se muestran")
    room.page.get_by_role("button", name="Flujo").click()
    expect(room.page.get_by_role("alert")).to_contain_text("aristas")


def test_a_word_moves_beside_another(room: ExplorePage, bert: Model) -> None:
    room.open(view="path", token=4)
    first, second = bert.trace(SENTENCE), bert.trace(OTHER)
    expect(room.page.locator("tr[data-address]")).to_have_count(4)
    alone = word_paths([first], [4])
    kept = f"{100 * sum(alone.explained):.0f} %"
    expect(room.page.locator("#view .note").first).to_contain_text(f"conserva el {kept}")
    room.page.locator("#other-text").fill(OTHER)
    room.page.get_by_role("button", name="Comparar").click()
    word = first.tokens[4].text
    same = [place for place, token in enumerate(second.tokens) if token.text == word]
    nearest = min(same, key=lambda place: abs(place - 4))
    expect(room.page.locator("#other-token")).to_have_value(str(nearest))
    found = shown(room, "[data-cosine]", "cosine")
    assert found == pytest.approx(path_cosines(first, 4, second, nearest).tolist(), abs=1e-5)
    assert room.page.locator("[data-text='1']").count() == 4
    other = nearest + 1
    room.page.locator("#other-token").select_option(str(other))
    expected = path_cosines(first, 4, second, other).tolist()
    expect(room.page.locator("[data-cosine]").first).to_have_text(
        spanish(expected[0], 4).replace("-", "−")
    )
    assert shown(room, "[data-cosine]", "cosine") == pytest.approx(expected, abs=1e-5)
    # The keyboard's cursor tells each level.
    room.page.locator("#view [role=application]").focus()
    room.page.keyboard.press("End")
    expect(room.page.locator("#path-told")).to_contain_text("Capa 2")


def test_a_link_opens_what_a_view_was_asked_for(room: ExplorePage, bert: Model) -> None:
    room.open(view="path", token=4, beside=OTHER)
    expect(room.page.locator("#other-text")).to_have_value(OTHER)
    expect(room.page.locator("[data-cosine]")).to_have_count(4)
    room.open(view="graph", token=4, graph="flow")
    expect(room.page.get_by_role("button", name="Flujo")).to_have_attribute("aria-pressed", "true")
    room.page.get_by_role("button", name="Atención").click()
    room.expect_place(graph="attention")
    room.page.go_back()
    room.expect_place(graph="flow")
    expect(room.page.get_by_role("button", name="Flujo")).to_have_attribute("aria-pressed", "true")
    room.open(view="next", token=4, blank=1)
    expect(room.page.locator("#blank")).to_be_checked()
    best = candidates(probabilities(blanked(bert.trace(SENTENCE), bert, 4), 4), bert, 1)[0]
    expect(room.page.locator("[data-candidate]").first).to_have_attribute(
        "data-candidate", str(best.id)
    )


def test_the_example_is_the_two_banks(page: Page, studio: str) -> None:
    room = ExplorePage(page).open(view="path", model="vitral-es-bert")
    room.page.get_by_role("button", name="Ejemplo").click()
    expect(room.text).to_have_value("El banco estaba cerrado porque el financiero llegó tarde.")
    room.expect_place(token="2")
    expect(room.page.locator("#other-token")).to_have_value("2")
    model = vitral.load("vitral-es-bert")
    first = model.trace("El banco estaba cerrado porque el financiero llegó tarde.")
    second = model.trace("El banco estaba verde porque lo acababan de pintar.")
    expected = path_cosines(first, 2, second, 2).tolist()
    expect(room.page.locator("[data-cosine]").last).to_have_text(spanish(expected[-1], 4))
    assert shown(room, "[data-cosine]", "cosine") == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("blank", [False, True])
def test_an_encoder_says_what_stands_there(room: ExplorePage, bert: Model, blank: bool) -> None:
    room.open(view="next", token=4)
    expect(room.page.locator("[data-candidate]").first).to_be_visible()
    trace = bert.trace(SENTENCE)
    asked = blanked(trace, bert, 4) if blank else trace
    if blank:
        room.page.locator("#blank").check()
        expect(room.page.locator("tfoot")).to_contain_text("▢")
    said = probabilities(asked, 4)
    best = candidates(said, bert, 10)
    own = trace.tokens[4].id
    ids = [each.id for each in best] + ([] if own in [each.id for each in best] else [own])
    assert shown(room, "[data-candidate]", "candidate") == ids
    found = shown(room, "[data-candidate] [data-probability]", "probability")
    assert found == pytest.approx([float(said[number]) for number in ids], abs=1e-6)
    wanted = room.page.locator("tr.wanted")
    expect(wanted).to_have_attribute("data-candidate", str(own))
    places = list(range(len(trace.tokens)))[:16]
    lens = logit_lens(asked, bert, places).softmax(-1)
    for level, address in enumerate(["embed", *(f"layers.{n}.residual.post" for n in range(3))]):
        cells = f"[data-lens^='{address}:']"
        assert shown(room, cells, "id") == lens[level].argmax(-1).tolist()
        assert shown(room, cells, "probability") == pytest.approx(
            lens[level].amax(-1).tolist(), abs=1e-5
        )
        exact = shown(room, f"[data-lens-level='{address}'] [data-probability]", "probability")
        here = lens[level, 4]
        assert exact == pytest.approx([*here.topk(5).values.tolist(), float(here[own])], abs=1e-5)


def test_a_decoder_says_what_follows(room: ExplorePage, llama: Model) -> None:
    room.open(view="next", model="small-llama", token=3)
    trace = llama.trace(SENTENCE)
    said = probabilities(trace, 3)
    expect(room.page.locator("#blank")).to_have_count(0)
    expect(room.page.locator(".summary")).to_contain_text("Después de")
    best = candidates(said, llama, 10)
    assert shown(room, "[data-candidate]", "candidate")[:10] == [each.id for each in best]
    expect(room.page.locator("tr.wanted")).to_have_attribute(
        "data-candidate", str(trace.tokens[4].id)
    )
    # Another place, from the grid's foot.
    room.page.locator("tfoot button").nth(1).click()
    room.expect_place(token="1")
    other = candidates(probabilities(trace, 1), llama, 1)[0]
    expect(room.page.locator("[data-candidate]").first).to_have_attribute(
        "data-candidate", str(other.id)
    )


@pytest.mark.parametrize("view", ["graph", "path", "next"])
def test_without_a_token_a_view_asks_for_one(room: ExplorePage, view: str) -> None:
    room.open(view=view, token="none")
    expect(room.page.locator("#view")).to_contain_text("Elige un token")
    room.chips.nth(3).click()
    expect(room.page.locator("#view :is(svg, table)").first).to_be_attached()


@pytest.mark.parametrize("view", ["heads", "graph", "path", "next"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800), (1920, 1080)])
def test_nothing_runs_off_the_screen(room: ExplorePage, width: int, height: int, view: str) -> None:
    room.page.set_viewport_size({"width": width, "height": height})
    room.open(view=view)
    expect(room.page.locator("#view :is(svg, table)").first).to_be_attached()
    assert room.page.evaluate("document.documentElement.scrollWidth") <= width
    tab = room.page.locator("[role=tab][aria-selected=true]").bounding_box()
    assert tab is not None
    assert tab["x"] >= 0
    assert tab["x"] + tab["width"] <= width + 1


@pytest.mark.parametrize(
    ("view", "spanish_words", "english_words"),
    [
        ("heads", "Cómo reparte la cabeza", "How evenly the head"),
        ("graph", "viene sobre todo de", "comes mostly from"),
        ("path", "Este plano conserva", "This plane keeps"),
        ("next", "Entropía de toda", "Entropy of the whole"),
    ],
)
def test_the_language_is_followed(
    room: ExplorePage, view: str, spanish_words: str, english_words: str
) -> None:
    room.open(view=view)
    expect(room.page.locator("#view")).to_contain_text(spanish_words)
    room.page.get_by_role("button", name="English").click()
    expect(room.page.locator("#view")).to_contain_text(english_words)
    expect(room.page.locator("#view")).not_to_contain_text(spanish_words)


@pytest.mark.parametrize("view", ["heads", "graph", "path", "next"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(room: ExplorePage, view: str, theme: str) -> None:
    room.open(view=view, theme=theme, beside=OTHER, at="layers.1.attention.pattern", head=2)
    expect(room.page.locator("#view :is(svg, table)").first).to_be_attached()
    if view == "graph":
        room.page.get_by_text("Lo mismo, en una tabla").click()
    assert serious(room.page, "#view") == []
