"""Taking a view along, and bringing a trace's file back, in a real browser."""

import re
import struct
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from explore_page import SENTENCE, ExplorePage
from playwright.sync_api import Browser, Page, expect

import vitral
from models.sequence_models import TRANSLATORS, tokenizer_of_letters
from vitral.model import Model

pytestmark = pytest.mark.browser

TEXT = "{http://www.w3.org/2000/svg}text"
PLACE = {"at": "layers.1.attention.pattern", "head": 2, "token": 4, "lang": "en"}


@pytest.fixture
def room(page: Page) -> ExplorePage:
    return ExplorePage(page)


@pytest.fixture(scope="module")
def bert(bert_folder: Path) -> Model:
    return vitral.load(str(bert_folder))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A trace of a model that no Studio here has, and its file."""
    model = Model(TRANSLATORS["transformer"](), tokenizer_of_letters(), name="lejano")
    trace = model.trace("gatos 12", decoder_text="uno")
    path = tmp_path_factory.mktemp("traces") / "lejano.vitral"
    trace.save(path)
    return trace, path


def take(room: ExplorePage, kind: str, folder: Path) -> Path:
    """Choose an entry of the export menu; the file that the browser saved, under its name."""
    room.page.get_by_role("button", name=re.compile("Export")).click()
    with room.page.expect_download() as found:
        room.page.locator(f"[data-export={kind}]").click()
    path = folder / found.value.suggested_filename
    found.value.save_as(path)
    return path


def size_of_png(path: Path) -> tuple[int, int]:
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", content[16:24])


def texts(path: Path) -> list[str]:
    return ["".join(text.itertext()) for text in ET.parse(path).iter(TEXT)]


@pytest.mark.parametrize("view", ["lines", "map", "numbers", "arithmetic"])
def test_the_svg_holds_title_model_and_tokens_as_text(
    room: ExplorePage, bert: Model, tmp_path: Path, view: str
) -> None:
    room.open(**PLACE, view=view)
    if view == "arithmetic":
        expect(room.page.locator("[data-dot]")).to_be_visible()
    path = take(room, "svg", tmp_path)
    assert path.name == f"vitral-small-bert-layer1-head2-{view}.svg"
    said = texts(path)
    assert said[:2] == [SENTENCE, "small-bert · Layer 1, head 2"]
    tokens = {token.text for token in bert.tokens(SENTENCE)}
    assert tokens <= set(said)
    whole = path.read_text(encoding="utf-8")
    assert whole.count("@font-face") == 2
    assert not re.search(r"(href|src|url)\W{1,2}https?:", whole)  # it needs nothing from elsewhere
    assert "Copy" not in said  # what is there to be pressed is not in the picture
    if view == "lines":
        row = bert.trace(SENTENCE).attention(1, 2)[4]
        assert [f"{float(weight):.2f}" for weight in row] == [
            text for text in said if re.fullmatch(r"0\.\d\d", text)
        ][1 : len(row) + 1]  # after the summary's, before the legend's
        assert whole.count("<path") == int((row >= 0.004).sum())


def test_the_png_has_the_size_it_claims(room: ExplorePage, tmp_path: Path) -> None:
    room.open(**PLACE, view="map")
    svg = ET.parse(take(room, "svg", tmp_path)).getroot()
    path = take(room, "png", tmp_path)
    width, height = size_of_png(path)
    assert (width, height) == (2 * int(svg.get("width", 0)), 2 * int(svg.get("height", 0)))
    expect(room.page.get_by_role("status").first).to_have_text(
        f"Saved: {path.name} ({width:,} × {height:,} pixels)"
    )
    # It shows something: many colours, and the page's ground in its corner.
    shown = room.page.evaluate(
        """async bytes => {
            const image = await createImageBitmap(new Blob([Uint8Array.from(bytes)]));
            const canvas = new OffscreenCanvas(image.width, image.height);
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            const all = context.getImageData(0, 0, image.width, image.height).data;
            return [new Set(new Uint32Array(all.buffer)).size, [...all.slice(0, 3)]];
        }""",
        list(path.read_bytes()),
    )
    assert shown[0] > 50
    assert shown[1] == [247, 243, 234]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_slide_is_a_screen_wide_in_both_themes(
    room: ExplorePage, tmp_path: Path, theme: str
) -> None:
    room.open(**PLACE, theme=theme)
    path = take(room, "slide", tmp_path)
    assert path.name == "vitral-small-bert-layer1-head2-lines-slide.png"
    assert size_of_png(path) == (1920, 1080)


def test_what_scrolls_is_in_the_picture_whole(room: ExplorePage, tmp_path: Path) -> None:
    text = "La niña lee un libro en el jardín y el gato duerme en la calle . " * 2
    room.open(**PLACE, text=text, view="numbers", model="small-llama")
    rows = room.page.locator("tr[data-key]")
    count = rows.count()
    assert count > 30
    room.page.locator("#view .scroll").evaluate("box => box.scrollTo(0, 200)")
    svg = take(room, "svg", tmp_path)
    weights = [each for each in texts(svg) if re.fullmatch(r"<?[01]\.\d{4}", each)]
    assert len(weights) == count
    assert room.page.locator("#view .scroll").evaluate("box => box.scrollTop") == 200


def test_the_page_opens_from_a_file_without_a_network(
    room: ExplorePage, bert: Model, browser: Browser, tmp_path: Path
) -> None:
    room.open(**PLACE, view="numbers")
    path = take(room, "page", tmp_path)
    assert path.name == "vitral-small-bert.html"
    trace = bert.trace(SENTENCE)
    context = browser.new_context(offline=True)
    alone = ExplorePage(context.new_page())
    asked: list[str] = []
    alone.page.on("request", lambda request: asked.append(request.url))
    alone.page.goto(path.as_uri())
    alone.filled().expect_row(trace.attention(1, 2)[4])
    alone.page.locator("#head").select_option("0")
    alone.page.locator("#layer").select_option("2")
    alone.expect_row(trace.attention(2, 0)[4])
    # It can be taken along as a picture from there too, and has no file to open or to send.
    svg = take(alone, "svg", tmp_path)
    assert "small-bert · Layer 2, head 0" in texts(svg)
    assert svg.read_text(encoding="utf-8").count("@font-face") == 2
    expect(alone.page.get_by_role("button", name="Open a trace file")).to_have_count(0)
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)
    context.close()


def drop(page: Page, name: str, content: bytes) -> None:
    """Drop a file on the page, as a hand would."""
    data = page.evaluate_handle(
        """([name, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([Uint8Array.from(bytes)], name));
            return data;
        }""",
        [name, list(content)],
    )
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event("main", event, {"dataTransfer": data})


def test_a_dropped_file_opens(room: ExplorePage, stranger: Any) -> None:
    trace, path = stranger
    room.open(**PLACE, view="numbers")
    expect(room.chips.nth(1)).to_have_text("El")
    drop(room.page, path.name, path.read_bytes())
    expect(
        room.page.get_by_text("From the file lejano.vitral: lejano on this text")
    ).to_be_visible()
    expect(room.page.locator("#text")).to_have_count(0)
    expect(room.chips).to_have_text([token.text.strip() or "␣" for token in trace.tokens])
    room.page.locator("#part").select_option("cross")
    room.pane(1, 3).click()
    room.page.locator("#source").select_option("2")
    room.expect_row(trace.attention(1, 3, "cross")[2])
    # The address finds it again, as long as Studio keeps it.
    room.page.reload()
    room.filled().expect_row(trace.attention(1, 3, "cross")[2])
    expect(room.page.get_by_text("From the file lejano.vitral")).to_be_visible()
    room.page.get_by_role("button", name="Close the file").click()
    expect(room.text).to_have_value(SENTENCE)
    expect(room.chips.nth(1)).to_have_text("El")
    assert "trace" not in room.place()
    room.page.go_back()
    expect(room.page.get_by_text("From the file lejano.vitral")).to_be_visible()


def test_a_file_is_chosen_with_a_button(room: ExplorePage, stranger: Any) -> None:
    # Playwright does not wait until the browser hands over its dialogues: it asks for them early.
    room.page.on("filechooser", lambda _: None)
    room.open(**PLACE)
    button = room.page.get_by_role("button", name="Open a trace file")
    button.focus()
    with room.page.expect_file_chooser() as chooser:
        room.page.keyboard.press("Enter")
    chooser.value.set_files(stranger[1])
    expect(room.page.get_by_text("From the file lejano.vitral")).to_be_visible()


def test_the_menu_by_keyboard(room: ExplorePage, tmp_path: Path) -> None:
    room.open(**PLACE)
    opener = room.page.get_by_role("button", name=re.compile("Export"))
    opener.focus()
    room.page.keyboard.press("Enter")
    expect(opener).to_have_attribute("aria-expanded", "true")
    room.page.keyboard.press("ArrowDown")
    expect(room.page.locator("[data-export=png]")).to_be_focused()
    room.page.keyboard.press("ArrowDown")
    room.page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    expect(room.page.locator("[data-export=png]")).to_be_hidden()


@pytest.fixture(scope="module")
def wrong(stranger: Any) -> dict[str, tuple[bytes, str, str]]:
    """Files that are no traces: content, and the line in English and Spanish."""
    whole = stranger[1].read_bytes()
    newer = whole.replace(b'\\"version\\": 1', b'\\"version\\": 9', 1)
    assert newer != whole
    return {
        "foto.png": (b"\x89PNG" + b"0" * 99, "is not a Vitral trace", "no es una traza"),
        "cortado.vitral": (whole[:3000], "is not a complete trace", "no es una traza completa"),
        "futuro.vitral": (newer, "a newer version of Vitral", "una versión más reciente de Vitral"),
        "nada.vitral": (b"", "is empty", "está vacío"),
    }


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_wrong_file_says_its_line_and_changes_nothing(
    room: ExplorePage, bert: Model, wrong: dict[str, Any], language: str
) -> None:
    room.open(**{**PLACE, "lang": language}, view="numbers")
    row = bert.trace(SENTENCE).attention(1, 2)[4]
    room.expect_row(row)
    before = room.place()
    for name, (content, english, spanish) in wrong.items():
        drop(room.page, name, content)
        expect(room.notice).to_contain_text(name)
        expect(room.notice).to_contain_text(english if language == "en" else spanish)
        room.expect_row(row)
        expect(room.text).to_have_value(SENTENCE)
        assert room.place() == before


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "is larger than 0 MB, the most that Studio opens"),
        ("es", "supera los 0 MB que Studio puede abrir"),
    ],
)
def test_a_file_that_is_too_large_is_not_sent(
    room: ExplorePage, stranger: Any, language: str, line: str
) -> None:
    sent: list[str] = []
    room.page.on("request", lambda request: sent.append(request.url))

    def smaller(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"max_trace_file_bytes": 1000})

    room.page.route("**/api/studio", smaller)
    room.open(**{**PLACE, "lang": language})
    drop(room.page, "grande.vitral", stranger[1].read_bytes())
    expect(room.notice).to_contain_text(line)
    assert not [url for url in sent if "trace-files" in url]
