"""An encoder–decoder in the Write room: what it shows of an answer is the model's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Page, expect
from serious import serious
from studio_process import running_studio
from write_page import WritePage

import vitral
from models.sequence_models import TRANSLATORS, tokenizer_of_letters
from vitral.generation.sampling import Sampling
from vitral.messages import message
from vitral.model import Model
from vitral.models import hugging_face

pytestmark = pytest.mark.browser

TEXT = "El perro que persiguió al gato cruzó la calle."
LETTERS = "gatos 12"
SEEDED = {"temperature": 1.0, "seed": 3}
ROWS = """[...document.querySelectorAll("table")].map(table =>
    [...table.querySelectorAll("tr[data-key]")].map(row =>
        [+row.dataset.key, +row.querySelector("[data-weight]").dataset.weight]))"""


@pytest.fixture(scope="module")
def studio(
    built_page: None,
    bart_folder: Path,
    bert_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A Studio on the small BART (first), three translators of our own and the small BERT."""
    place = tmp_path_factory.mktemp("models")
    own = [place / name for name in ("transformer", "additive", "none")]
    for folder in own:
        hugging_face.write(TRANSLATORS[folder.name](), tokenizer_of_letters(), folder)
    with running_studio(bart_folder, *own, bert_folder) as (address, _):
        yield address


@pytest.fixture
def room(page: Page) -> WritePage:
    return WritePage(page)


@pytest.fixture(scope="module")
def bart(bart_folder: Path) -> Model:
    return vitral.load(str(bart_folder))


def open_seeded(room: WritePage, **place: object) -> None:
    room.open(**{"text": TEXT, "temperature": 1, "top_p": "no", "seed": 3, **place})


@pytest.mark.parametrize(
    ("place", "options"),
    [
        ({"temperature": 0}, {}),
        ({}, SEEDED),
        (
            {"temperature": 1.1, "top_k": 37, "top_p": 0.95, "repetition_penalty": 1.2},
            {"temperature": 1.1, "top_k": 37, "top_p": 0.95, "repetition_penalty": 1.2, "seed": 3},
        ),
    ],
)
def test_the_answer_is_that_of_python(
    room: WritePage, bart: Model, place: dict[str, object], options: dict[str, object]
) -> None:
    open_seeded(room, tokens=20, **place)
    room.write()
    assert room.text() == bart.generate(TEXT, max_new_tokens=20, **options)


def test_an_encoder_decoder_is_offered_as_one_that_writes(room: WritePage) -> None:
    """It comes first, and so it is the one that the room begins with."""
    room.open()
    expect(room.page.locator("#writer")).to_have_value("small-bart")
    said = room.page.locator("#writer option").all_text_contents()
    assert {"small-bart", "transformer", "additive", "none"} <= set(said)
    assert [name for name in said if "(no escribe)" in name and "bert" in name]
    label = room.page.get_by_label(message("studio.write_source_label", "es"))
    expect(label).to_have_value(message("studio.write_beginning", "es"))
    expect(room.page.locator("#write-panel .what")).to_contain_text("¿Cómo empieza la respuesta?")


def test_bars_move_with_the_dials(room: WritePage, bart: Model) -> None:
    """The penalty counts what the decoder has read, not what the encoder has."""
    open_seeded(room, tokens=4)
    room.write()
    trace = bart.trace_generation(TEXT, max_new_tokens=4, **SEEDED)
    logits, read = trace["logits"][-1], [token.id for token in trace.decoder_tokens]
    for dial, value, sampling in (
        ("temperature", 0.5, Sampling(0.5)),
        ("top-p", 0.6, Sampling(0.5, top_p=0.6)),
        ("penalty", 1.5, Sampling(0.5, top_p=0.6, repetition_penalty=1.5)),
    ):
        room.set(dial, value)
        shares = sampling.scores(logits[None], torch.tensor([read]))[0].softmax(-1)
        shown = room.shown()
        assert len(shown) == 12
        for token, (share, own) in shown.items():
            assert share == pytest.approx(float(shares[token]), abs=1e-5)
            assert own == pytest.approx(float(logits.softmax(-1)[token]), abs=1e-5)


def test_both_attentions_of_the_newest_token(room: WritePage, bart: Model) -> None:
    open_seeded(room, tokens=6)
    room.write()
    trace = bart.trace_generation(TEXT, max_new_tokens=6, **SEEDED)
    cross, own = (
        torch.stack([torch.stack([trace.attention(a, b, part)[-1] for b in range(2)])
                     for a in range(2)])
        for part in ("cross", "decoder")
    )  # fmt: skip
    # Under the words, whichever tab is open.
    expect(room.page.locator(".caption").first).to_have_text(
        message("studio.write_read_seen", "es")
    )
    expect(room.page.locator(".caption").last).to_have_text(
        message("studio.write_answer_seen", "es")
    )
    under = "all => all.map(e => +e.dataset.weight)"
    read = room.page.eval_on_selector_all(".source [data-weight]", under)
    assert read == pytest.approx(cross.mean((0, 1)).tolist(), abs=1e-4)
    written = room.page.eval_on_selector_all(".text [data-weight]", under)[len(read) :]
    assert written == pytest.approx(own.mean((0, 1)).tolist(), abs=1e-4)
    # And in the tables: what was read, and the answer.
    room.tab("A qué mira").click()
    expect(room.page.locator("caption")).to_contain_text(
        [message("studio.write_looks_read", "es"), message("studio.write_looks_answer", "es")]
    )

    def expect_rows(*expected: torch.Tensor) -> None:
        room.page.wait_for_function(
            f"expected => {{ const found = {ROWS}; return found.length === expected.length &&"
            " found.every((rows, table) => rows.length === expected[table].length && rows.every("
            "([key, weight]) => Math.abs(weight - expected[table][key]) < 1e-4)) }",
            arg=[row.tolist() for row in expected],
        )

    expect_rows(cross.mean((0, 1)), own.mean((0, 1)))
    room.page.locator("#write-layer").select_option("1")
    expect_rows(cross[1].mean(0), own[1].mean(0))
    room.page.locator("#write-head").select_option("1")
    expect_rows(cross[1, 1], own[1, 1])
    expect(room.page.locator("#write-head option")).to_have_count(3)  # not the encoder's four
    room.page.get_by_role("button", name="Copiar tabla").click()
    copied = room.page.evaluate("navigator.clipboard.readText()").strip().split("\n")
    assert len(copied) == 1 + len(trace.tokens) + len(trace.decoder_tokens)
    assert copied[1].startswith(message("studio.part_cross", "es"))
    assert copied[-1].startswith(message("studio.part_decoder", "es"))


def test_any_candidate_can_be_taken_and_every_branch_visited(room: WritePage, bart: Model) -> None:
    open_seeded(room, tokens=8)
    room.write()
    first = room.text()
    room.written.nth(2).click()
    expect(room.rest).to_have_count(5)
    expect(room.candidates.first).to_be_enabled()
    taken = list(room.shown())[4]
    room.page.locator(f"[data-candidate='{taken}']").click()
    expect(room.written).to_have_count(4)
    expect(room.branches).to_have_count(2)
    expect(room.candidates.first).to_be_enabled()
    trace = bart.trace_generation(TEXT, max_new_tokens=3, **SEEDED)
    ids = [*(token.id for token in trace.decoder_tokens), taken]
    logits = bart.trace(TEXT, decoder_ids=[ids])["logits"][-1]
    shares = Sampling(1.0).scores(logits[None], torch.tensor([ids]))[0].softmax(-1)
    for token, (share, _) in room.shown().items():
        assert share == pytest.approx(float(shares[token]), abs=1e-5)
    room.branches.first.click()
    expect(room.written).to_have_count(8)
    assert room.text() == first
    room.page.reload()
    expect(room.candidates.first).to_be_visible()
    expect(room.branches).to_have_count(2)
    assert room.text() == first
    room.page.get_by_role("button", name="Al comienzo").click()
    expect(room.rest).to_have_count(8)
    expect(room.page.locator(".beginning")).to_have_attribute("aria-selected", "true")


def test_strategies_side_by_side(room: WritePage, bart: Model) -> None:
    open_seeded(room, tokens=10)
    room.page.get_by_role("button", name="Comparar estrategias").click()
    room.page.get_by_role("button", name="Ejecutar todas").click()
    expect(room.page.locator("article.best")).to_have_count(1, timeout=60_000)
    ways = {
        "greedy": {},
        "temperature": SEEDED,
        "top_k": {**SEEDED, "top_k": 40},
        "top_p": {**SEEDED, "top_p": 0.9},
        "min_p": {**SEEDED, "min_p": 0.05},
        "beam": {"num_beams": 4},
    }
    for name, options in ways.items():
        column = room.page.locator(f"[data-strategy={name}] .written")
        expected = bart.generate(TEXT, max_new_tokens=10, **options)
        assert column.text_content() == expected.lstrip()
    room.page.locator("[data-strategy=beam]").get_by_role("button").click()
    expect(room.written).to_have_count(10)
    expect(room.candidates.first).to_be_enabled()
    assert room.text() == bart.generate(TEXT, max_new_tokens=10, num_beams=4)


def test_a_meter_for_each_text(room: WritePage, bart: Model) -> None:
    room.page.set_viewport_size({"width": 1280, "height": 640})
    num_read = len(bart.tokens(TEXT))
    open_seeded(room, tokens=200, temperature=0)
    meters = room.page.locator("meter")
    expect(meters).to_have_count(2)
    room.write()
    for place, (used, words) in enumerate([(num_read, "leído"), (64, "respuesta")]):
        expect(meters.nth(place)).to_have_attribute("max", "64")
        expect(meters.nth(place)).to_have_attribute("value", str(used))
        expect(room.page.locator(".texts .what").nth(place)).to_contain_text(
            f"{words}: {used} de 64"
        )
    expect(room.written).to_have_count(63)
    # However long the answer is, its newest token is in sight.
    inside, newest = (
        room.page.locator(selector).bounding_box() for selector in (".text.words", ".caret")
    )
    assert inside is not None
    assert newest is not None
    assert inside["y"] < newest["y"]
    assert newest["y"] + newest["height"] < inside["y"] + inside["height"]
    room.page.locator("#windowed").select_option("go")
    expect(room.candidates.first).to_be_visible()
    # The answer's first half is forgotten, and nothing of what was read.
    expect(room.page.locator(".text .forgotten")).to_have_count(32)
    expect(room.page.locator(".source .forgotten")).to_have_count(0)
    room.page.locator("#tokens").fill("5")
    room.page.locator("#tokens").press("Enter")
    room.write()
    assert room.text() == bart.generate(TEXT, max_new_tokens=68, windowed=True)


def test_a_text_longer_than_the_encoder_takes(room: WritePage, bart: Model) -> None:
    open_seeded(room)
    long = "gato " * 70
    room.beginning.fill(long)
    length = len(bart.tokens(long))
    expect(room.notice).to_contain_text(
        message("error.text_too_long", "es", length=length, context=64, model="small-bart")
    )
    room.beginning.fill(TEXT)
    expect(room.notice).to_have_text("")


@pytest.mark.parametrize(("name", "num_tables"), [("transformer", 2), ("additive", 1), ("none", 0)])
def test_translators_of_our_own(
    room: WritePage, tmp_path: Path, name: str, num_tables: int
) -> None:
    hugging_face.write(TRANSLATORS[name](), tokenizer_of_letters(), tmp_path / name)
    model = vitral.load(str(tmp_path / name))
    open_seeded(room, model=name, text=LETTERS, tokens=9)
    room.write()
    assert room.text() == model.generate(LETTERS, max_new_tokens=9, **SEEDED)
    room.tab("A qué mira").click()
    expect(room.page.locator("table")).to_have_count(num_tables)
    panel = room.page.locator("#write-panel")
    if name == "additive":
        expect(panel).to_contain_text(message("studio.write_no_own", "es"))
        trace = model.trace_generation(LETTERS, max_new_tokens=9, **SEEDED)
        [rows] = room.page.evaluate(ROWS)
        weights = trace.attention(0, 0, "cross")[-1]
        assert dict(rows) == pytest.approx(dict(enumerate(weights.tolist())), abs=1e-4)
    if name == "none":
        expect(panel).to_contain_text(message("studio.write_no_attention", "es"))
        expect(room.page.locator(".caption").first).to_have_text(message("studio.write_read", "es"))


def test_the_answer_opens_in_explore(room: WritePage) -> None:
    open_seeded(room, tokens=4)
    room.write()
    answer = room.text()
    room.page.get_by_role("button", name="Abrir en Explorar").click()
    expect(room.page.locator("#text")).to_have_value(TEXT)
    expect(room.page.locator("#answer")).to_have_value(answer)
    room.page.go_back()
    expect(room.written).to_have_count(4)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_in_english_for_everybody(room: WritePage, theme: str) -> None:
    open_seeded(room, tokens=3, lang="en", theme=theme)
    expect(room.page.locator("#write-panel .what")).to_contain_text("How does the answer begin?")
    room.write()
    room.tab("What it looks at").click()
    expect(room.page.locator("caption").first).to_contain_text("the input text (cross-attention)")
    expect(room.page.locator(".texts")).to_contain_text("answer: 4 of 64")
    assert serious(room.page) == []
    room.page.set_viewport_size({"width": 390, "height": 844})
    assert room.page.evaluate("document.documentElement.scrollWidth") <= 390
