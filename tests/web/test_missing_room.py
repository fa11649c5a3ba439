"""A room that lacks a package: it stands in the menu, and its page gives the command."""

import json

import pytest
from explore_page import ExplorePage
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser

COMMAND = "pip install 'vitral[train]'"


@pytest.fixture
def without_training(page: Page) -> Page:
    """A Studio that says so of its Train room."""

    def answer(route: Route) -> None:
        said = route.fetch().json()
        rooms = [room for room in said.get("rooms", []) if room["name"] != "train"]
        rooms.append({"name": "train", "available": False, "install": COMMAND})
        route.fulfill(body=json.dumps({**said, "rooms": rooms}), content_type="application/json")

    page.route("**/api/studio", answer)
    return page


def test_its_page_gives_the_command(without_training: Page) -> None:
    room = ExplorePage(without_training).open()
    page = room.page
    page.get_by_role("link", name="Entrenar").click()
    expect(page.get_by_role("main")).to_contain_text(COMMAND)
    expect(page.get_by_role("main")).to_contain_text("Entrenar necesita un paquete")
    page.get_by_role("button", name="Copiar").click()
    assert page.evaluate("navigator.clipboard.readText()") == COMMAND
    # The other rooms are as they were.
    page.get_by_role("link", name="Explorar").click()
    room.filled()


def test_it_is_there_where_nothing_lacks(page: Page) -> None:
    page.goto("/train")
    expect(page.get_by_role("navigation", name="Entrenamientos")).to_be_visible()
