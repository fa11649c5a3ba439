"""A picture in Explore: brought by the reader, painted with weights, walked with the keyboard."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from explore_page import ExplorePage
from playwright.sync_api import Browser, Page, expect
from serious import serious
from studio_process import running_studio

import vitral
from picture_models import drawn

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def picture_studio(built_page: None, vit_folder: Path, bert_folder: Path) -> Iterator[str]:
    """The address of a Studio on the small ViT (first) and the small BERT."""
    with running_studio(vit_folder, bert_folder) as (address, _):
        # Both are open before a page asks: importing transformers takes its time.
        content = io.BytesIO()
        drawn(40, 40).save(content, "PNG")
        for path, kind, body in (
            (
                "/api/pictures?model=small-vit&name=a.png",
                "application/octet-stream",
                content.getvalue(),
            ),
            ("/api/traces", "application/json", b'{"model": "small-bert", "text": "El gato."}'),
        ):
            request = Request(address + path, body, {"Content-Type": kind})
            assert urlopen(request, timeout=300).status == 200
        yield address


@pytest.fixture
def page(browser: Browser, picture_studio: str) -> Iterator[Page]:
    context = browser.new_context(
        base_url=picture_studio, locale="es-ES", viewport={"width": 1280, "height": 800}
    )
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    context.close()
    assert not problems


def chosen(page: Page, picture_file: Path) -> ExplorePage:
    """Explore, once the picture has been chosen and painted."""
    page.goto("/")
    expect(page.locator("#view")).to_contain_text("Este modelo lee imágenes")
    page.locator("input[accept*='image/png']").set_input_files(picture_file)
    expect(page.locator("#view canvas.weights")).to_be_visible()
    return ExplorePage(page).filled()


def test_a_picture_is_painted_with_what_a_patch_attends_to(
    page: Page, vit_folder: Path, picture_file: Path
) -> None:
    room = chosen(page, picture_file)
    expect(page.get_by_text("foto.png")).to_be_visible()
    expect(page.get_by_text("De 90 × 60 píxeles, el modelo ve 32 × 32")).to_be_visible()
    room.pane(1, 2).click()
    stage = page.locator("#view").get_by_role("application")
    stage.click(position={"x": 5, "y": 5})
    room.expect_place(token="1", at="layers.1.attention.pattern", head="2")
    row = vitral.load(vit_folder).trace(picture_file).attention(1, 2)[1]
    most = int(row.argmax())
    named = "[CLS]" if most == 0 else f"fila {(most - 1) // 4}, columna {(most - 1) % 4}"
    weight = f"{float(row[most]):.2f}".replace(".", ",")
    told = page.locator("#view .summary")
    expect(told).to_have_text(f"fila 0, columna 0 atiende sobre todo a {named}: {weight}")
    cls = page.locator("#view .beside [data-token='0'] .weight")
    expect(cls).to_have_text(f"{float(row[0]):.2f}".replace(".", ","))
    # The weights painted are those of the patches: the strongest covers most of the picture.
    alphas = page.locator("#view canvas.weights").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
        ".filter((_, i) => i % 4 === 3)"
    )
    assert len(alphas) == 16
    assert alphas.index(max(alphas)) == int(row[1:].argmax())
    room.show("Números")
    room.expect_row(row)


def test_arrows_walk_by_row_and_column_and_are_read_aloud(page: Page, picture_file: Path) -> None:
    room = chosen(page, picture_file)
    stage = page.locator("#view").get_by_role("application")
    stage.click(position={"x": 5, "y": 5})
    room.expect_place(token="1")
    stage.press("ArrowRight")
    room.expect_place(token="2")
    stage.press("ArrowDown")
    room.expect_place(token="6")
    said = page.locator("[aria-live]").filter(has_text="fila 1, columna 1 atiende")
    expect(said.first).to_be_attached()
    page.locator("#view .beside button").press("Enter")
    room.expect_place(token="0")
    expect(page.locator("#view .summary")).to_contain_text("[CLS] atiende sobre todo a")
    stage.press("Escape")
    room.expect_place(token="none")
    expect(page.locator("#view .summary")).to_contain_text("peso medio")


def test_pointing_shows_what_the_patch_under_it_attends_to(page: Page, picture_file: Path) -> None:
    room = chosen(page, picture_file)
    stage = page.locator("#view").get_by_role("application")
    stage.click(position={"x": 5, "y": 5})
    room.expect_place(token="1")
    box = stage.bounding_box()
    assert box is not None
    stage.hover(position={"x": box["width"] - 4, "y": box["height"] - 4})
    expect(page.locator("#view .summary")).to_contain_text("fila 3, columna 3 atiende")
    expect(page.locator(".stage rect.pointed")).to_have_count(2)  # in the small picture as well
    page.mouse.move(2, 2)
    expect(page.locator("#view .summary")).to_contain_text("fila 0, columna 0 atiende")


def test_other_views_and_refusals_in_one_line(page: Page, picture_file: Path) -> None:
    room = chosen(page, picture_file)
    room.show("Mapa")
    expect(page.locator("#view").get_by_text("3,3").first).to_be_visible()
    page.locator("#view .cells").hover(position={"x": 6, "y": 6})
    expect(page.locator("#view [aria-live=polite]")).to_contain_text("[CLS]")
    room.show("Cálculo")
    expect(page.locator("#view")).not_to_contain_text("Esto funciona solo con textos")
    room.show("Cabezas")
    expect(page.locator("#view select")).to_contain_text("ntrop")
    for name in ("Predicción", "Tocar", "Comparar"):
        room.show(name)
        expect(page.locator("#view")).to_have_text(
            "Esto funciona solo con textos y la traza es de una imagen."
        )


def test_a_link_opens_the_picture_again_and_texts_are_a_model_away(
    page: Page, picture_file: Path
) -> None:
    room = chosen(page, picture_file)
    room.pane(2, 1).click()
    room.expect_place(at="layers.2.attention.pattern", head="1")
    assert re.fullmatch("[0-9a-f]{32}", room.place()["trace"])
    page.reload()
    room.filled()
    expect(page.locator("#view canvas.weights")).to_be_visible()
    expect(page.get_by_text("foto.png")).to_be_visible()
    page.get_by_role("combobox", name="Modelo", exact=True).select_option("small-bert")
    expect(page.locator("#text")).to_be_visible()
    expect(room.chips.first).to_have_text("[CLS]")
    assert "text" in room.place()
    page.go_back()
    expect(page.locator("#view canvas.weights")).to_be_visible()


def test_what_is_no_picture_is_said_and_what_was_there_stays(
    page: Page, picture_file: Path, tmp_path: Path
) -> None:
    room = chosen(page, picture_file)
    wrong = tmp_path / "texto.png"
    wrong.write_text("El perro", encoding="utf-8")
    page.locator("input[accept*='image/png']").set_input_files(wrong)
    expect(room.notice).to_contain_text("texto.png no es una imagen")
    expect(page.locator("#view canvas.weights")).to_be_visible()
    empty = tmp_path / "vacia.png"
    empty.touch()
    page.locator("input[accept*='image/png']").set_input_files(empty)
    expect(room.notice).to_contain_text("vacia.png está vacío")


def test_a_picture_may_be_dropped_on_a_model_of_texts(page: Page, picture_file: Path) -> None:
    page.goto("/?model=small-bert&text=El gato duerme.")
    room = ExplorePage(page).filled()
    transfer = page.evaluate_handle(
        """bytes => { const held = new DataTransfer();
            held.items.add(new File([new Uint8Array(bytes)], "otra.png", {type: "image/png"}));
            return held }""",
        list(picture_file.read_bytes()),
    )
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    expect(page.locator("#view canvas.weights")).to_be_visible()
    expect(page.get_by_role("combobox", name="Modelo", exact=True)).to_have_value("small-vit")
    expect(page.get_by_text("otra.png")).to_be_visible()
    assert room.place()["model"] == "small-vit"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible_and_fits(page: Page, picture_file: Path, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    chosen(page, picture_file)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    stage = page.locator("#view").get_by_role("application").bounding_box()
    assert stage is not None
    assert stage["x"] >= 0
    assert stage["x"] + stage["width"] <= width
    assert min(stage["width"], stage["height"]) > 150


def test_english(browser: Browser, picture_studio: str, picture_file: Path) -> None:
    context = browser.new_context(base_url=picture_studio, locale="en-GB")
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_role("button", name="Choose a picture")).to_be_visible()
    page.locator("input[accept*='image/png']").set_input_files(picture_file)
    expect(page.locator("#view .summary")).to_contain_text("row 2, column 2 attends most to")
    context.close()


def test_a_page_carries_its_picture(
    browser: Browser, built_page: None, vit_folder: Path, picture_file: Path, tmp_path: Path
) -> None:
    vitral.load(vit_folder).trace(picture_file).to_html(tmp_path / "foto.html", language="es")
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto((tmp_path / "foto.html").as_uri())
    expect(page.locator("#view canvas.weights")).to_be_visible()
    colours = page.locator("#view canvas.picture").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, 32, 32).data]"
    )
    seen = drawn(90, 60).resize((32, 32), resample=2).convert("RGBA")
    assert colours == [value for pixel in seen.get_flattened_data() for value in pixel]
    context.close()
