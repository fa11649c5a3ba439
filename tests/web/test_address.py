"""State lives in the address: links, the back button, language and theme."""

import pytest
from explore_page import SENTENCE, ExplorePage
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

OTHER = "¿Dónde está el pingüino? 100 % aquí & allí + más."


@pytest.fixture
def room(page: Page) -> ExplorePage:
    return ExplorePage(page)


def test_a_link_reopens_the_same_view(room: ExplorePage) -> None:
    room.open(text=OTHER, at="layers.2.attention.pattern", head=3, token=5, view="numbers")
    before = room.page.locator("table").inner_text()
    room.page.get_by_role("button", name="Copiar enlace").click()
    link = room.page.evaluate("navigator.clipboard.readText()")
    other = room.page.context.new_page()
    other.goto(link)
    expect(other.locator("#text")).to_have_value(OTHER)
    expect(other.locator("#layer")).to_have_value("2")
    expect(other.locator("#head")).to_have_value("3")
    expect(other.locator("#source")).to_have_value("5")
    expect(other.get_by_role("tab", name="Números")).to_have_attribute("aria-selected", "true")
    expect(other.locator("table")).to_be_visible()
    assert other.locator("table").inner_text() == before


def test_back_and_forward_go_through_what_was_looked_at(room: ExplorePage) -> None:
    room.open(at="layers.0.attention.pattern", head=0, token=4)
    room.pane(1, 2).click()
    room.show("Mapa")
    room.text.fill(OTHER)
    room.expect_place(text=OTHER, view="map", head="2")
    room.page.go_back()
    expect(room.text).to_have_value(SENTENCE)
    room.expect_place(view="map", head="2")
    room.page.go_back()
    expect(room.page.get_by_role("tab", name="Líneas")).to_have_attribute("aria-selected", "true")
    room.page.go_back()
    expect(room.pane(0, 0)).to_have_attribute("aria-selected", "true")
    room.page.go_forward()
    expect(room.pane(1, 2)).to_have_attribute("aria-selected", "true")


def test_a_head_out_of_range_is_said_and_another_shown(room: ExplorePage) -> None:
    room.open(at="layers.40.attention.pattern", head=0)
    expect(room.notice).to_contain_text("40")
    expect(room.pane(2, 0)).to_have_attribute("aria-selected", "true")


def test_language_is_switched_and_kept(room: ExplorePage) -> None:
    room.open()
    expect(room.page.get_by_role("tab")).to_have_text(
        ["Líneas", "Mapa", "Números", "Cuentas", "Tocar", "Comparar"]
    )
    room.page.get_by_role("button", name="English").click()
    expect(room.page.get_by_role("tab")).to_have_text(
        ["Lines", "Map", "Numbers", "Arithmetic", "Touch", "Compare"]
    )
    expect(room.page.locator("html")).to_have_attribute("lang", "en")
    expect(room.page.locator(".right .weight").first).to_contain_text(".")
    room.expect_place(lang="en")
    room.open()
    expect(room.page.get_by_role("tab")).to_have_text(
        ["Lines", "Map", "Numbers", "Arithmetic", "Touch", "Compare"]
    )
    # What a link says goes before what was chosen earlier.
    room.open(lang="es")
    expect(room.page.get_by_role("tab")).to_have_text(
        ["Líneas", "Mapa", "Números", "Cuentas", "Tocar", "Comparar"]
    )


def test_theme_is_switched_and_kept(room: ExplorePage) -> None:
    def ground() -> str:
        return str(room.page.evaluate("getComputedStyle(document.body).backgroundColor"))

    room.open()
    light = ground()
    room.page.get_by_role("button", name="Tema oscuro").click()
    room.expect_place(theme="dark")
    dark = ground()
    assert dark != light
    room.open()
    assert ground() == dark
    room.open(theme="light")
    assert ground() == light


def test_the_system_decides_at_first(room: ExplorePage) -> None:
    room.page.emulate_media(color_scheme="dark")
    room.open()
    expect(room.page.get_by_role("button", name="Tema claro")).to_be_visible()
    room.page.emulate_media(color_scheme="light")
    expect(room.page.get_by_role("button", name="Tema oscuro")).to_be_visible()
