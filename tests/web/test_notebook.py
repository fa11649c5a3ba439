"""A trace in a real JupyterLab, in a real browser, with a real kernel."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from explore_page import SENTENCE
from jupyter_process import running_lab
from notebook_page import NotebookPage, WidgetPart, written
from playwright.sync_api import Browser, ConsoleMessage, expect

import vitral
from picture_models import drawn
from vitral.explain import arithmetic, query_key
from vitral.model import Model
from vitral.tracing import Trace

pytestmark = pytest.mark.browser

OTHER = "La niña lee un libro en el jardín."
AS_IT_WAS = """
for shown in (first, second):
    shown.layer, shown.head, shown.token, shown.key = 0, 0, 2, None
    shown.view, shown.scale, shown.lifted = "numbers", "glass", False
    shown.language, shown.theme = "es", None
"""


@pytest.fixture(scope="module")
def bert(bert_folder: Path) -> Model:
    return vitral.load(str(bert_folder))


@pytest.fixture(scope="module")
def trace(bert: Model) -> Trace:
    return bert.trace(SENTENCE)


@pytest.fixture(scope="module")
def lab(
    browser: Browser,
    built_page: None,
    bert_folder: Path,
    vit_folder: Path,
    picture_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[NotebookPage]:
    """A notebook with a widget below each of its first two cells; a picture's is its third."""
    folder = tmp_path_factory.mktemp("lab")
    cells = (
        f"import vitral\nmodel = vitral.load({str(bert_folder)!r})\n"
        f"first = model.trace({SENTENCE!r}).show()\nfirst",
        f"second = model.trace({OTHER!r}).show()\nsecond",
        f"third = vitral.load({str(vit_folder)!r}).trace({str(picture_file)!r}).show()\nthird",
    )
    (folder / "cuaderno.ipynb").write_text(written(*cells), encoding="utf-8")
    with running_lab(folder) as address:
        context = browser.new_context(
            base_url=address, locale="es-ES", viewport={"width": 1280, "height": 1400}
        )
        context.set_default_timeout(30_000)
        page = context.new_page()
        said: list[str] = []

        def note(message: ConsoleMessage) -> None:
            if message.type == "error":
                said.append(message.text)

        page.on("console", note)
        page.on("pageerror", lambda error: said.append(error.stack or str(error)))
        notebook = NotebookPage(page).open("cuaderno.ipynb")
        notebook.run(0)
        notebook.run(1)
        yield notebook
        context.close()
    assert said == []


@pytest.fixture
def notebook(lab: NotebookPage) -> NotebookPage:
    """The same notebook, with what is looked at as it was."""
    lab.python("0", doing=AS_IT_WAS)
    lab.theme("Light")
    lab.widget(0).expect_head(0, 0)
    lab.widget(1).expect_head(0, 0)
    return lab


@pytest.fixture
def first(notebook: NotebookPage) -> WidgetPart:
    return notebook.widget(0)


@pytest.fixture
def second(notebook: NotebookPage) -> WidgetPart:
    return notebook.widget(1)


def test_all_heads_and_tokens_are_there(first: WidgetPart, trace: Trace) -> None:
    expect(first.chips).to_have_text([token.text for token in trace.tokens])
    expect(first.panes).to_have_count(trace.num_layers * trace.num_heads)
    colours = first.host.evaluate(
        "host => [...host.shadowRoot.querySelectorAll('[role=gridcell] canvas')].map(c =>"
        " new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height)"
        ".data.buffer)).size)"
    )
    assert min(colours) > 5
    expect(first.host.locator("#text, #model")).to_have_count(0)


def test_the_numbers_are_the_traces_own(
    notebook: NotebookPage, first: WidgetPart, trace: Trace
) -> None:
    for layer, head, token in [(2, 3, 5), (0, 1, 0), (1, 2, 11)]:
        notebook.python("0", f"first.layer, first.head, first.token = {layer}, {head}, {token}")
        row = trace.attention(layer, head)[token]
        first.expect_row(row)
        # What Python says the picture shows.
        assert notebook.python("first.weights.tolist()") == pytest.approx(row.tolist(), abs=2e-7)


def test_what_python_sets_is_seen(notebook: NotebookPage, first: WidgetPart, trace: Trace) -> None:
    notebook.python("0", "first.layer = 2\nfirst.head = 3")
    first.expect_head(2, 3)
    notebook.python("0", "first.view = 'lines'\nfirst.token = 4")
    expect(first.tab("Líneas")).to_have_attribute("aria-selected", "true")
    expect(first.host.locator(".left .source")).to_have_text(trace.tokens[4].text)
    best = int(trace.attention(2, 3)[4].argmax())
    expect(first.host.locator(".right .most span:first-child")).to_have_text(
        trace.tokens[best].text
    )
    notebook.python("0", "first.token = None")
    expect(first.host.get_by_text("mayores pesos de esta cabeza")).to_be_visible()
    notebook.python("0", "first.scale = 'course'\nfirst.lifted = True")
    expect(first.host.get_by_role("checkbox")).to_be_checked()
    notebook.python("0", "first.language = 'en'")
    expect(first.tab("Lines")).to_be_visible()
    notebook.python("0", "first.height = 700")
    expect(first.host.locator(".glass")).to_have_css("height", "700px")


def test_what_the_reader_does_python_knows(notebook: NotebookPage, first: WidgetPart) -> None:
    first.pane(2, 3).click()
    notebook.expect_python("[first.layer, first.head]", [2, 3])
    first.chips.nth(5).click()
    notebook.expect_python("first.token", 5)
    first.tab("Líneas").click()
    notebook.expect_python("first.view", "lines")
    first.host.get_by_role("checkbox").check()
    notebook.expect_python("first.lifted", True)
    first.host.get_by_role("combobox").last.select_option("course")
    notebook.expect_python("first.scale", "course")
    first.chips.nth(5).click()
    notebook.expect_python("first.token", None)
    assert notebook.python("first.weights.shape[0] == first.weights.shape[1]") is True


def test_the_keyboard_stays_in_the_picture(notebook: NotebookPage, first: WidgetPart) -> None:
    # The cell below would be chosen, were the keys the notebook's.
    before = notebook.active_cell
    first.selected_pane.focus()
    for key in ("ArrowUp", "ArrowRight", "ArrowUp", "ArrowDown", "ArrowDown"):
        first.host.page.keyboard.press(key)
    notebook.expect_python("[first.layer, first.head]", [0, 1])
    expect(first.pane(0, 1)).to_be_focused()
    assert notebook.active_cell == before


def test_query_keys_and_arithmetic_come_from_python(
    notebook: NotebookPage, first: WidgetPart, trace: Trace
) -> None:
    notebook.python("0", "first.layer, first.head, first.token = 1, 2, 3")
    first.tab("Consulta").click()
    rows = first.host.locator("tr[data-met]")
    expect(rows).to_have_count(len(trace.tokens))
    scores = rows.locator("[data-score]").evaluate_all(
        "all => all.map(cell => +cell.dataset.score)"
    )
    met = query_key(trace, layer=1, head=2, query=3)
    assert scores == pytest.approx(met.scores.tolist(), abs=1e-6)
    rows.nth(5).get_by_role("button").click()
    notebook.expect_python("[first.view, first.key]", ["arithmetic", 5])
    weight = arithmetic(trace, layer=1, head=2, query=3, key=5).weight
    said = f"{weight:.4f}".replace(".", ",")
    expect(first.host.locator("#view").get_by_text(said).first).to_be_visible()


def test_two_widgets_share_nothing(
    notebook: NotebookPage, first: WidgetPart, second: WidgetPart, bert: Model
) -> None:
    other = bert.trace(OTHER)
    first.pane(2, 1).click()
    notebook.expect_python("[first.layer, first.head]", [2, 1])
    second.expect_head(0, 0)
    second.expect_row(other.attention(0, 0)[2])
    notebook.python("0", "second.language, second.theme, second.token = 'en', 'dark', 6")
    expect(second.tab("Numbers")).to_be_visible()
    expect(first.tab("Números")).to_be_visible()
    expect(second.host).to_have_attribute("data-theme", "dark")
    expect(first.host).to_have_attribute("data-theme", "light")
    second.expect_row(other.attention(0, 0)[6])
    assert notebook.python("[first.token, second.layer]") == [2, 0]


def test_one_program_shows_all_widgets(
    notebook: NotebookPage, first: WidgetPart, second: WidgetPart
) -> None:
    # Both are shown; their program ran once in this page, and both wear its one style sheet.
    expect(first.panes.first).to_be_visible()
    expect(second.panes.first).to_be_visible()
    count = notebook.page.evaluate("performance.getEntriesByName('vitral-program').length")
    assert count == 1
    same = notebook.page.evaluate(
        "([a, b]) => a.shadowRoot.adoptedStyleSheets[0] === b.shadowRoot.adoptedStyleSheets[0]",
        [first.host.element_handle(), second.host.element_handle()],
    )
    assert same is True


def test_the_theme_is_jupyterlabs_until_one_is_said(
    notebook: NotebookPage, first: WidgetPart
) -> None:
    ground = first.host.locator("#vitral")
    expect(ground).to_have_css("background-color", "rgb(247, 243, 234)")
    notebook.theme("Dark")
    expect(ground).to_have_css("background-color", "rgb(16, 17, 22)")
    notebook.python("0", "first.theme = 'light'")
    expect(ground).to_have_css("background-color", "rgb(247, 243, 234)")


def test_it_fits_into_narrow_notebooks(notebook: NotebookPage, first: WidgetPart) -> None:
    page = first.host.page
    for width in (700, 1000, 1900):
        page.set_viewport_size({"width": width, "height": 1400})
        for view in ("lines", "map", "numbers", "components", "arithmetic"):
            notebook.python("0", f"first.view = {view!r}")
            expect(first.host.locator(f"#tab-{view}")).to_have_attribute("aria-selected", "true")
            over = first.host.evaluate(
                "host => { const inside = host.shadowRoot.querySelector('#vitral');"
                " return inside.scrollWidth - inside.clientWidth }"
            )
            assert over <= 0, f"{view} is wider than {width}"
    page.set_viewport_size({"width": 1280, "height": 1400})


def test_a_page_that_is_loaded_anew_finds_its_python(
    notebook: NotebookPage, first: WidgetPart, trace: Trace
) -> None:
    notebook.python("0", "first.layer, first.head, first.token = 1, 3, 7")
    page = first.host.page
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    notebook.open("cuaderno.ipynb")
    first.filled()
    first.expect_head(1, 3)
    first.expect_row(trace.attention(1, 3)[7])
    notebook.python("0", "first.head = 2")
    first.expect_row(trace.attention(1, 2)[7])


def test_python_that_has_gone_is_said(notebook: NotebookPage, first: WidgetPart) -> None:
    page = first.host.page
    waiting = first.host.get_by_text("Esperando a Python")
    expect(waiting).to_have_count(0)
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    page.wait_for_function(
        "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
    )
    first.pane(1, 1).click()
    expect(waiting).to_be_visible()
    # What was shown stays.
    expect(first.panes.first).to_be_visible()
    notebook.run(0)
    expect(waiting).to_have_count(0)
    notebook.run(1)


def test_a_pictures_trace_is_shown_on_its_picture(
    notebook: NotebookPage, vit_folder: Path, picture_file: Path
) -> None:
    third = notebook.run(2)
    trace = vitral.load(vit_folder).trace(picture_file)
    expect(third.panes).to_have_count(trace.num_layers * trace.num_heads)
    expect(third.host.locator("canvas.weights").first).to_be_visible()
    colours = third.host.locator("canvas.picture").first.evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, 32, 32).data]"
    )
    seen = drawn(90, 60).resize((32, 32), resample=2).convert("RGBA")
    assert colours == [value for pixel in seen.get_flattened_data() for value in pixel]
    # A token is chosen by Python and in the picture; weights are the trace's own.
    notebook.python("0", "third.layer, third.head, third.token = 1, 2, 6")
    third.expect_head(1, 2)
    notebook.python("0", "third.view = 'numbers'")
    third.expect_row(trace.attention(1, 2)[6])
    notebook.python("0", "third.view = 'lines'")
    third.host.locator(".beside button").first.click()
    notebook.expect_python("third.token", 0)
