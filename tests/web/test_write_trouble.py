"""What goes wrong while a text is written loses nothing."""

import time
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect
from serious import serious
from studio_process import running_studio
from write_page import WritePage

import vitral
from vitral.model import Model

pytestmark = pytest.mark.browser

START = "Había una vez"
OPTIONS = {"temperature": 0.8, "top_p": 0.9, "seed": 7}


@pytest.fixture
def room(page: Page) -> WritePage:
    return WritePage(page)


@pytest.fixture(scope="module")
def gpt() -> Model:
    return vitral.load("vitral-es-gpt")


SLOWLY = 30_000


def through(page: Page, bytes_a_second: int, network: CDPSession | None = None) -> CDPSession:
    """Let the page have so much of what Studio sends; −1: all. A text may else be written before
    the test has done the first thing to it."""
    network = network or page.context.new_cdp_session(page)
    limits = {"offline": False, "latency": 0, "uploadThroughput": -1}
    network.send("Network.enable")
    network.send(
        "Network.emulateNetworkConditions", {**limits, "downloadThroughput": bytes_a_second}
    )
    return network


def begun(room: WritePage, tokens: int) -> None:
    """Writing, and some tokens on the way."""
    room.open(text=START, tokens=tokens, seed=7)
    room.page.wait_for_load_state("networkidle")  # the other rooms are here
    through(room.page, SLOWLY)
    room.primary.click()
    expect(room.written.nth(2)).to_be_visible()


def test_escape_stops_and_control_enter_goes_on(room: WritePage, gpt: Model) -> None:
    begun(room, 200)
    room.page.keyboard.press("Escape")
    expect(room.running).to_have_count(0)
    time.sleep(0.3)
    count = room.written.count()
    assert 3 <= count < 200
    assert gpt.generate(START, max_new_tokens=200, **OPTIONS).startswith(START + room.text())
    time.sleep(0.5)
    assert room.written.count() == count
    expect(room.candidates.first).to_be_enabled()
    room.page.locator("#tokens").fill("5")
    room.page.keyboard.press("Control+Enter")
    expect(room.written).to_have_count(count + 5)
    room.wait_for_the_end()
    expected = gpt.generate(START, max_new_tokens=count + 5, **OPTIONS)
    assert START + room.text() == expected


def test_a_doubled_click_a_resize_and_other_rooms_lose_nothing(room: WritePage, gpt: Model) -> None:
    room.open(text=START, tokens=200, seed=7)
    room.page.wait_for_load_state("networkidle")  # the other rooms are here
    network = through(room.page, SLOWLY)
    room.primary.dblclick()
    expect(room.written.nth(3)).to_be_visible()
    expect(room.running).to_have_count(1)
    room.page.set_viewport_size({"width": 390, "height": 844})
    room.page.get_by_role("button", name="English").click()
    expect(room.running).to_have_text("Stop")
    through(room.page, -1, network)
    room.page.get_by_role("link", name="Explore").click()
    expect(room.page.locator("[role=gridcell]").first).to_be_visible()
    room.page.set_viewport_size({"width": 1280, "height": 800})
    room.page.get_by_role("link", name="Write").click()
    expect(room.written).to_have_count(200, timeout=120_000)
    room.wait_for_the_end()
    assert START + room.text() == gpt.generate(START, max_new_tokens=200, **OPTIONS)
    expect(room.branches).to_have_count(1)


def test_a_look_elsewhere_stops_the_stream(room: WritePage) -> None:
    begun(room, 150)
    room.written.first.click()
    expect(room.running).to_have_count(0)
    expect(room.written).to_have_count(1)
    assert room.rest.count() >= 2


def test_a_bad_beginning_is_said(room: WritePage) -> None:
    room.open(text=START)
    room.beginning.fill("  ")
    expect(room.notice).to_contain_text("vacío")
    room.beginning.fill("palabra " * 300)
    expect(room.notice).to_contain_text("256")
    room.beginning.fill(START)
    expect(room.candidates.first).to_be_visible()
    expect(room.notice).to_have_text("")


def test_the_server_dies_in_mid_stream_and_comes_back(
    browser: Browser, built_page: None, gpt: Model
) -> None:
    with running_studio() as (address, process):
        page = browser.new_page(base_url=address, locale="es-ES")
        room = WritePage(page)
        begun(room, 120)
        process.kill()
        process.wait(20)
    expect(room.notice).to_contain_text("Studio no responde")
    count = room.written.count()
    assert 3 <= count < 120
    before = room.text()
    # What was written can be gone through meanwhile.
    port = urlsplit(address).port
    assert port is not None
    with running_studio(port=port):
        expect(room.written).to_have_count(120, timeout=60_000)
        room.wait_for_the_end()
        expect(room.notice).to_have_text("")
        assert room.text().startswith(before)
        assert START + room.text() == gpt.generate(START, max_new_tokens=120, **OPTIONS)
        page.close()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800), (1920, 1080)])
@pytest.mark.parametrize("mode", ["steps", "race"])
def test_nothing_runs_off_the_screen(room: WritePage, width: int, height: int, mode: str) -> None:
    room.page.set_viewport_size({"width": width, "height": height})
    room.open(text=START, tokens=5)
    room.write()
    if mode == "race":
        room.page.get_by_role("button", name="Comparar estrategias").click()
        room.primary.click()
        expect(room.page.locator("article.best")).to_have_count(1)
    assert room.page.evaluate("document.documentElement.scrollWidth") <= width
    off = room.page.evaluate(
        "[...document.querySelectorAll('button, select, textarea, input, a')].filter(e => {"
        " const b = e.getBoundingClientRect();"
        " return b.width > 0 && (b.left < -1 || b.right > innerWidth + 1) }).length"
    )
    assert off == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(room: WritePage, theme: str) -> None:
    room.open(text=START, tokens=6, theme=theme)
    room.write()
    room.written.nth(2).click()
    expect(room.rest).to_have_count(3)
    assert serious(room.page, "main") == []
    room.tab("A qué mira").click()
    assert serious(room.page, "main") == []
    room.page.get_by_role("button", name="Comparar estrategias").click()
    room.primary.click()
    expect(room.page.locator("article.best")).to_have_count(1)
    assert serious(room.page, "main") == []
