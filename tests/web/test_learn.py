"""Lessons in a real browser: read, predicted, moved, answered, written; in both languages."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect
from serious import serious
from studio_process import running_studio

pytestmark = pytest.mark.browser

SOLUTION = Path(__file__).parents[2] / "src/vitral/lessons"


@pytest.fixture(scope="module")
def studio(built_page: None) -> Iterator[str]:
    """A Studio on the bundled models, with no progress."""
    with tempfile.TemporaryDirectory(prefix="vitral-data-") as folder:
        before = os.environ.get("XDG_DATA_HOME")
        os.environ["XDG_DATA_HOME"] = folder
        try:
            with running_studio() as (address, _):
                yield address
        finally:
            if before is None:
                del os.environ["XDG_DATA_HOME"]
            else:
                os.environ["XDG_DATA_HOME"] = before


def stage(page: Page, figure: str) -> Locator:
    """The figure beside the text, once it is drawn."""
    found = page.locator(f"aside figure[data-shown={figure}]")
    expect(found.locator("[data-kind]").first).to_be_visible()
    expect(found).to_have_attribute("data-busy", "false")
    return found


def write(page: Page, code: str) -> None:
    """Put code into the exercise's editor, in the place of what it holds."""
    content = page.locator("[data-testid=editor] .cm-content")
    content.click()
    page.keyboard.press("Control+A")
    page.evaluate("text => navigator.clipboard.writeText(text)", code)
    page.keyboard.press("Control+V")


def test_the_shelf_leads_to_a_lesson(page: Page) -> None:
    page.goto("/learn")
    expect(page.get_by_text("Empieza aquí")).to_be_visible()
    assert serious(page) == []
    page.get_by_role("link", name="Activaciones").click()
    expect(page.get_by_role("heading", name="Activaciones", level=2)).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["lesson"] == ["activations"]
    page.go_back()
    expect(page.get_by_role("heading", name="Lecciones")).to_be_visible()


def test_a_prediction_comes_before_its_figure(page: Page) -> None:
    page.goto("/learn?lesson=activations&block=sigmoid")
    expect(page.get_by_text("Responde primero a la pregunta")).to_be_visible()
    page.get_by_role("slider", name="Tu respuesta").first.fill("0.25")
    page.get_by_role("button", name="Responder").first.click()
    expect(page.get_by_text("Eso es lo que da el cálculo.")).to_be_visible()
    figure = stage(page, "curves")
    # Numbers are computed, and written in the reader's form.
    expect(page.locator("[data-number=slope_ten]")).to_have_text("4,54 × 10⁻⁵")
    expect(page.locator("[data-number=sigma_ten]")).to_have_text("0,99995")
    expect(page.locator("math").first).to_be_visible()
    assert serious(page) == []
    assert figure.locator("details").count() == 2


def test_a_figure_moves_by_keyboard_and_its_place_is_in_the_address(page: Page) -> None:
    page.goto("/learn?lesson=activations")
    figure = stage(page, "curves")
    handle = figure.get_by_role("slider", name="f(x)").first
    handle.focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    expect(figure.locator(".sentence")).to_contain_text("En x = 0,3 la función vale 0,5744")
    page.wait_for_function("location.search.includes('curves.x=0.3')")
    figure.get_by_role("combobox", name="función").select_option("relu")
    expect(figure.locator(".sentence")).to_contain_text("vale 0,3 y su pendiente es 1.")
    page.reload()
    figure = stage(page, "curves")
    expect(figure.locator(".sentence")).to_contain_text("vale 0,3 y su pendiente es 1.")
    figure.get_by_text("Tabla").first.click()
    expect(figure.get_by_role("table").first.get_by_role("row")).to_have_count(15)


def test_the_exercises_of_a_lesson(page: Page) -> None:
    page.goto("/learn?lesson=activations&block=exercises")
    value = page.get_by_role("textbox", name="Valor:")
    for given, said in (("3", "No es ese valor"), ("−0,75", "¡Correcto!")):
        value.fill(given)
        page.get_by_role("button", name="Comprobar", exact=True).first.click()
        expect(page.get_by_text(said)).to_be_visible()
    stage_ = page.locator("aside figure[data-shown=dead_zone]")
    tune = page.get_by_role("button", name="Comprobar", exact=True).nth(1)
    tune.click()
    expect(page.get_by_text("Todavía no se cumple")).to_be_visible()
    stage_.get_by_role("slider", name="sesgo b").fill("1")
    expect(stage_.locator(".sentence")).to_contain_text("Con sesgo 1")
    tune.click()
    expect(page.get_by_text("¡Correcto!")).to_have_count(2)


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ("overflow", "no cabe en un número"),
        ("largest_only", "es argmax"),
        (None, "¡Correcto!"),
    ],
)
def test_a_function_is_written(page: Page, mistake: str | None, said: str) -> None:
    lesson = SOLUTION / "activations"
    file = lesson / "solution.py" if mistake is None else lesson / f"mistakes/{mistake}.py"
    page.goto("/learn?lesson=activations&block=exercises")
    write(page, file.read_text(encoding="utf-8"))
    page.get_by_role("button", name="Ejecutar y comprobar").click()
    expect(page.get_by_text(said)).to_be_visible()
    assert serious(page) == []


def test_with_the_readers_own_a_claim_may_not_hold(page: Page) -> None:
    page.goto("/learn?lesson=attention_step&block=yours&lang=en")
    figure = stage(page, "head")
    check = page.get_by_role("button", name="Check with mine")
    check.click()
    expect(page.get_by_text("It holds")).to_have_count(3)
    figure.get_by_role("textbox", name="text").fill("El sol sale cada mañana.")
    figure.get_by_role("slider", name="layer (from 0)").fill("0")
    expect(page.get_by_text("It holds")).to_have_count(0)
    check.click()
    expect(page.get_by_text("It does not hold here")).to_be_visible()
    expect(figure.get_by_role("listbox").first).to_be_visible()
    assert serious(page) == []


def test_the_blackboard_shows_one_block_at_a_time(page: Page) -> None:
    page.goto("/learn?lesson=attention_step&block=scores&view=board")
    expect(page.locator("[data-block]")).to_have_count(1)
    page.get_by_role("button", name="Siguiente").click()
    expect(page.locator("[data-block=weights]")).to_be_visible()
    page.keyboard.press("PageUp")
    expect(page.locator("[data-block=scores]")).to_be_visible()
    assert "view=board" in page.url


def test_the_worksheet_keeps_the_solutions_apart(page: Page) -> None:
    page.goto("/learn?lesson=attention_step&view=sheet")
    expect(page.get_by_text("Nombre y fecha")).to_be_visible()
    expect(page.get_by_text("los valores, no las claves")).to_have_count(0)
    expect(page.get_by_role("table").first).to_be_visible()
    page.get_by_role("combobox", name="Cómo se muestra").select_option("solutions")
    expect(page.get_by_text("los valores, no las claves")).to_be_visible()
    assert serious(page) == []


@pytest.mark.parametrize("lesson", ["activations", "attention_step"])
@pytest.mark.parametrize("language", ["es", "en"])
def test_a_phone_shows_the_figures_in_the_text(page: Page, lesson: str, language: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/learn?lesson={lesson}&lang={language}")
    expect(page.locator("article figure [data-kind]").first).to_be_visible()
    expect(page.locator("aside")).to_have_count(0)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    expect(page.locator("html")).to_have_attribute("lang", language)


def test_lessons_do_not_make_the_page_larger(built_page: None) -> None:
    """What is fetched first names none of the lessons' libraries."""
    assets = Path(__file__).parents[2] / "src/vitral/studio/static"
    html = (assets / "index.html").read_text(encoding="utf-8")
    first = [name for name in os.listdir(assets / "assets") if f"assets/{name}" in html]
    assert first
    assert not [name for name in first if "temml" in name or "code_mirror" in name]
    size = sum((assets / "assets" / name).stat().st_size for name in first if name.endswith(".js"))
    assert size < 260_000
