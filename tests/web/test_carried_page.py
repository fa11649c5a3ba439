"""A page that carries its trace, opened from a file in a real browser without a network."""

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from explore_page import ExplorePage
from playwright.sync_api import Browser, Page, Request, expect

import vitral
from made_traces import made_record, made_trace
from models.hybrid_models import jamba, lfm2
from models.sequence_models import TRANSLATORS, tokenizer_of_letters
from vitral.model import Model
from vitral.showing.page_data import page_data
from vitral.tracing import Trace
from vitral.tracing.attention.given_pattern import GivenPattern
from vitral.tracing.attention.visibility import Bias, Visibility

pytestmark = pytest.mark.browser

SENTENCE = "La niña lee un libro en el jardín."
LENGTH = 61  # letters; more than twice as many as a made record is wide, so that it is rebuilt


@pytest.fixture
def reader(browser: Browser, built_page: None) -> Iterator[Page]:
    """A Spanish reader's page, offline, that may ask for nothing and say nothing."""
    context = browser.new_context(
        locale="es-ES",
        color_scheme="light",
        viewport={"width": 1280, "height": 800},
        offline=True,
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    said: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith(("file:", "data:")):
            said.append(request.url)

    page.on("request", asked)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert said == []


def opened(page: Page, trace: Trace, folder: Path, search: str = "", **options) -> ExplorePage:
    path = folder / "página.html"
    trace.to_html(path, **options)
    page.goto(path.as_uri() + search)
    return ExplorePage(page).filled()


def far(weights: torch.Tensor) -> float:
    """How far a rebuilt number may be: some units of float32's last place of the largest."""
    return 2e-7 * max(1.0, float(weights.max()) * 4)


def test_a_real_trace_with_every_selector(reader: Page, llama_folder: Path, tmp_path: Path) -> None:
    trace = vitral.load(str(llama_folder)).trace(SENTENCE)
    room = opened(reader, trace, tmp_path, "?view=numbers&lang=en")
    expect(room.chips).to_have_text([token.text.strip() for token in trace.tokens])
    expect(reader.locator("[role=gridcell]")).to_have_count(trace.num_layers * trace.num_heads)
    for layer, head, token in ((1, 3, 5), (0, 2, 7), (1, 0, 0)):
        reader.locator("#layer").select_option(str(layer))
        reader.locator("#head").select_option(str(head))
        reader.locator("#source").select_option(str(token))
        room.expect_row(trace.attention(layer, head)[token])
        room.expect_place(at=f"layers.{layer}.attention.pattern", head=str(head), token=str(token))
    for name in ("Lines", "Map", "Numbers"):
        room.show(name)
        expect(reader.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
    expect(reader.locator("#text")).to_have_count(0)
    expect(reader.locator("a[download]")).to_have_count(0)


def rules() -> dict[str, Trace]:
    """A trace for every rule that a page rebuilds weights under."""
    generator = torch.Generator().manual_seed(3)
    distance = torch.arange(LENGTH) - torch.arange(LENGTH)[:, None]
    window = (distance <= 0) & (distance > -9)
    padded = window & (torch.arange(LENGTH) > 4)  # queries 0 to 4 see nothing
    seen = torch.rand(2, LENGTH, LENGTH, generator=generator) > 0.4
    everything = Visibility.rule(LENGTH, LENGTH, causal=False).item(0)
    slopes = torch.tensor([[0.5], [0.03]]) * torch.arange(-LENGTH + 1, LENGTH)
    made = {
        "causal": {},
        "grouped": {"heads": 4, "key_heads": 2},
        "everything": {"visibility": everything},
        "window": {"visibility": Visibility.of_mask(window[None])},
        "blind": {"visibility": Visibility.of_mask(padded[None])},
        "uniform": {"visibility": Visibility.of_mask(padded[None]), "uniform_when_blind": True},
        "dense": {"visibility": Visibility.of_mask(seen)},
        "softcap": {"softcap": 3.0},
        "sinks": {"sinks": torch.tensor([0.5, 2.0])},
        "slopes": {"bias": Bias(LENGTH, diagonal=slopes)},
        "keys": {"bias": Bias(LENGTH, columns=torch.randn(1, LENGTH, generator=generator))},
        "matrix": {
            "visibility": everything,
            "bias": Bias(LENGTH, dense=torch.randn(2, LENGTH, LENGTH, generator=generator)),
        },
    }
    return {name: made_trace(made_record(LENGTH, width=4, **known)) for name, known in made.items()}


def test_weights_are_rebuilt_under_every_rule(reader: Page, tmp_path: Path) -> None:
    for name, trace in rules().items():
        room = opened(reader, trace, tmp_path, "?view=numbers", language="es")
        for head, token in ((0, 2), (1, LENGTH - 1)):
            reader.locator("#head").select_option(str(head))
            reader.locator("#source").select_option(str(token))
            row = trace.attention(0, head)[token]
            room.expect_place(head=str(head), token=str(token))
            try:
                room.expect_row(row, far(row))
            except Exception as error:
                raise AssertionError(name) from error


def test_a_pattern_that_was_given_is_shown_as_it_is(reader: Page, tmp_path: Path) -> None:
    weights = torch.rand(2, 30, 30, generator=torch.Generator().manual_seed(0)).mul(9).softmax(-1)
    trace = made_trace(GivenPattern.of(weights))
    room = opened(reader, trace, tmp_path, head=1, token=8, view="numbers")
    room.expect_row(trace.attention(0, 1)[8], 0)


@pytest.mark.parametrize("made", [lfm2, jamba])
def test_blocks_without_attention_keep_their_row_and_say_so(
    reader: Page, tmp_path: Path, made: Callable[[], Any]
) -> None:
    trace = Model(made(), tokenizer_of_letters(), name="mixto").trace("el gato ve")
    room = opened(reader, trace, tmp_path, token=3, view="numbers", language="es")
    room.expect_place(at="layers.2.attention.pattern")
    room.expect_row(trace.attention(2, int(reader.locator("#head").input_value()))[3])
    for layer in (0, 1, 3):
        row = (
            reader.get_by_role("row").filter(has_text="sin atención").nth({3: 0, 1: 1, 0: 2}[layer])
        )
        expect(row.get_by_role("rowheader")).to_have_text(str(layer))
        told = row.get_by_role("gridcell")
        expect(told).to_have_accessible_name(re.compile(f"layers.{layer}.residual.post"))
    assert reader.locator("#layer option").all_inner_texts() == ["2"]
    # The keyboard stays where there is attention, and moves among its heads.
    reader.locator("[role=gridcell][aria-selected=true]").focus()
    for key in ("ArrowUp", "ArrowDown", "Home", "PageDown"):
        reader.keyboard.press(key)
        room.expect_place(at="layers.2.attention.pattern")
    reader.keyboard.press("ArrowRight")
    room.expect_place(at="layers.2.attention.pattern", head="1")
    reader.goto(f"{reader.url.partition('?')[0]}?at=layers.1.attention.pattern&lang=es")
    expect(
        reader.get_by_text("La capa 1 de mixto no tiene atención. Capas con atención: 2.")
    ).to_be_visible()
    room.expect_place(at="layers.2.attention.pattern")


@pytest.mark.parametrize("rebuilt", [True, False])
def test_attention_between_two_texts(reader: Page, tmp_path: Path, rebuilt: bool) -> None:
    model = Model(TRANSLATORS["transformer"](), tokenizer_of_letters(), name="traductor")
    # A long text is carried as queries and keys, a short one as the weights themselves.
    text = "gatos y perros 1" if rebuilt else "12"
    trace = model.trace(text, decoder_text="uno dos tres cuatro" if rebuilt else "u")
    sides = (len(trace.decoder_tokens), len(trace.tokens))
    asked = {"part": "cross", "layer": 1, "head": 3, "token": 1, "view": "numbers"}
    room = opened(reader, trace, tmp_path, language="en", **asked)
    kept = page_data(trace, "cross", "", "")["layers"][0]
    assert ("query" in kept) is rebuilt
    address = "decoder.layers.1.cross_attention.pattern"
    for token in (1, sides[0] - 1):
        reader.locator("#source").select_option(str(token))
        row = trace.attention(1, 3, "cross")[token]
        room.expect_row(row, far(row))
        room.expect_place(at=address, token=str(token))
    room.show("Lines")
    expect(reader.locator(".right .word")).to_have_count(sides[1])
    expect(reader.locator(".left .token")).to_have_count(sides[0])
    room.show("Map")
    expect(reader.get_by_role("application")).to_be_visible()


def test_a_long_text_is_shown_reduced_and_each_row_exact(reader: Page, tmp_path: Path) -> None:
    trace = made_trace(made_record(500, width=8))
    room = opened(reader, trace, tmp_path, view="map", head=0, token=499, language="en")
    expect(reader.get_by_text("Each cell is the mean of several weights")).to_be_visible()
    most = reader.locator(".legend .scale span").nth(1)
    view = trace.view("layers.0.attention.pattern", 0, height=256, width=256)
    expect(most).to_contain_text("≥ 0.")  # of pooled cells a few may be greater than the scale
    assert 0 < float(most.inner_text().removeprefix("≥")) < float(view.values.max())
    room.show("Numbers")
    row = trace.attention(0, 0)[499]
    room.expect_row(row, far(row))


def test_a_text_with_markup_in_it_stays_text(reader: Page, tmp_path: Path) -> None:
    text = "</script><script>document.title='no'</script><img src=x>"
    trace = made_trace(made_record(len(text)), text=text)
    room = opened(reader, trace, tmp_path)
    expect(room.chips).to_have_text(["␣" if letter == " " else letter for letter in text])
    assert reader.title().startswith("</script>")
    assert reader.locator("img").count() == 0


def test_languages_themes_and_links(reader: Page, tmp_path: Path) -> None:
    trace = made_trace(made_record(6))
    room = opened(reader, trace, tmp_path)
    expect(reader.locator("html")).to_have_attribute("lang", "es")
    reader.get_by_role("button", name="English").click()
    expect(reader.get_by_role("tab", name="Numbers")).to_be_visible()
    reader.get_by_role("button", name="dark").click()
    expect(reader.locator("html")).to_have_attribute("data-theme", "dark")
    room.pane(0, 1).click()
    room.expect_place(head="1", lang="en", theme="dark")
    link = reader.url
    assert "text=" not in link
    reader.goto("about:blank")
    reader.goto(link)
    expect(reader.locator("#head")).to_have_value("1")
    expect(reader.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_nothing_is_wider_than_the_screen(
    reader: Page, tmp_path: Path, width: int, height: int
) -> None:
    reader.set_viewport_size({"width": width, "height": height})
    room = opened(reader, made_trace(made_record(40)), tmp_path)
    for view in ("Líneas", "Mapa", "Números"):
        room.show(view)
        assert reader.evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts_there_is_a_table(browser: Browser, built_page: None, tmp_path) -> None:
    trace = made_trace(made_record(5))
    trace.to_html(tmp_path / "page.html", language="es")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    expect(page.get_by_role("row")).to_have_count(6)
    most = trace.attention(0, 0)[4].max()
    shown = page.get_by_role("cell").last.inner_text().replace(",", ".")
    assert math.isclose(float(shown), most, abs_tol=5e-5)
    context.close()
