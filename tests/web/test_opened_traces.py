"""Traces from files, whose models Studio need not have."""

from pathlib import Path

import pytest
from explore_page import ExplorePage
from playwright.sync_api import Page, expect

from made_traces import made_record, made_trace

pytestmark = pytest.mark.browser


def test_a_trace_without_its_model_tells_what_it_can(page: Page, tmp_path: Path) -> None:
    """No view of a file's trace waits for ever for a model that is not there."""
    trace = made_trace(made_record(6))
    trace.save(tmp_path / "sola.vitral")
    room = ExplorePage(page).open()
    page.locator("input[type=file]").last.set_input_files(tmp_path / "sola.vitral")
    expect(page.locator(".chips [data-token]")).to_have_count(6)
    room.show("Cabezas")
    expect(page.locator("#view [data-head-row]")).to_have_count(trace.num_layers * trace.num_heads)
    room.show("Predicción")
    expect(page.locator("#view").get_by_role("alert")).to_contain_text("No hay ningún modelo")
