"""Phases and teachers in the Train room's form, by keyboard, and a real run of two phases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from serious import serious
from train_page import SMALL, WAIT, field, training_studio, without_the_dial

from vitral.training.recipes.recipe import Teacher
from vitral.training.recipes.recipe_file import read_recipe

pytestmark = pytest.mark.browser

TINY = SMALL | {"steps": "12"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studio") / "runs"


@pytest.fixture(scope="module")
def studio(built_page: None, bert_folder: Path, runs: Path) -> Iterator[str]:
    """A Studio of this file's own, whose trainings end with it."""
    with training_studio(bert_folder, runs) as address:
        yield address


@pytest.fixture
def form(page: Page) -> Page:
    """The open form, without the dial's choice in it."""
    without_the_dial(page)
    page.goto("/train")
    page.get_by_text("Elige tú los ajustes").click()
    expect(field(page, "model.form")).to_be_visible()
    return page


def phase(page: Page, number: int) -> Locator:
    return page.get_by_role("group", name=f"Fase {number}")


def test_phases_come_and_go_by_keyboard(form: Page) -> None:
    form.get_by_label("La arquitectura").select_option("bert")
    expect(field(form, "phases.0.mask_share")).to_be_visible()
    expect(form.get_by_text("phases.0.until")).to_have_count(0)  # one phase: as plain as can be
    expect(form.get_by_text("phases.0.num_layers")).to_have_count(0)
    expect(phase(form, 1)).to_have_count(0)
    field(form, "phases.0.mask_share").fill("0,3")
    add = form.get_by_role("button", name="Añadir una fase")
    add.focus()
    form.keyboard.press("Enter")
    expect(field(form, "phases.1.until")).to_be_focused()
    expect(phase(form, 1)).to_contain_text("del 0 % al 50 % del entrenamiento")
    expect(phase(form, 2)).to_contain_text("del 50 % al 100 % del entrenamiento")
    expect(field(form, "phases.1.mask_share")).to_have_value("0,3")  # it goes on as the last
    add.focus()
    form.keyboard.press("Enter")
    expect(phase(form, 3)).to_contain_text("del 75 % al 100 % del entrenamiento")
    field(form, "phases.0.until").fill("0,25")
    expect(phase(form, 1)).to_contain_text("del 0 % al 25 % del entrenamiento")
    for scheme in ("light", "dark"):
        form.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert serious(form, "main") == []
    remove = form.get_by_role("button", name="Quitar la fase 2")
    remove.focus()
    form.keyboard.press("Enter")
    expect(add).to_be_focused()
    expect(phase(form, 2)).to_contain_text("del 25 % al 100 % del entrenamiento")
    form.get_by_role("button", name="Quitar la fase 1").press("Enter")
    expect(phase(form, 1)).to_have_count(0)
    expect(form.get_by_text("phases.0.until")).to_have_count(0)
    form.get_by_label("La arquitectura").select_option("transformer")
    expect(add).to_have_count(0)  # its phases could not differ


def test_mistakes_of_phases_are_told_where_they_are(form: Page) -> None:
    for path, value in TINY.items():
        field(form, path).fill(value)
    for _ in range(2):
        form.get_by_role("button", name="Añadir una fase").click()
    until, layers = field(form, "phases.1.until"), field(form, "phases.2.num_layers")
    start = form.get_by_role("button", name="Empezar a entrenar")
    until.fill("0,5")
    start.click()
    whole = form.get_by_text("cada fase termina (until) después de la anterior, y la última en 1")
    expect(whole).to_be_visible()
    expect(form.locator("[data-mistake]")).to_be_focused()
    until.fill("todo")  # another end: what was wrong with all of them may be right now
    expect(whole).to_have_count(0)
    start.click()
    expect(until).to_have_attribute("aria-invalid", "true")
    expect(until).to_be_focused()
    expect(phase(form, 2)).to_contain_text('se esperaba un número > 0 y ≤ 1, no "todo"')
    until.fill("0,75")
    layers.fill("1")
    start.click()
    expect(layers).to_be_focused()
    expect(phase(form, 3)).to_contain_text("1 capas son menos que en la fase anterior, 2")
    for scheme in ("light", "dark"):
        form.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert serious(form, "main") == []


def test_a_run_that_grows_and_has_a_teacher(form: Page, runs: Path) -> None:
    for path, value in TINY.items():
        field(form, path).fill(value)
    form.get_by_role("textbox", name="Nombre El nombre del modelo").fill("Alumno")
    form.get_by_role("button", name="Añadir una fase").click()
    field(form, "phases.0.num_layers").fill("1")
    teacher = field(form, "phases.1.teacher.model")
    assert teacher.locator("option").all_inner_texts() == ["ninguno", "vitral-es-gpt"]
    expect(form.get_by_text("phases.1.teacher.share")).to_have_count(0)
    teacher.select_option("vitral-es-gpt")
    field(form, "phases.1.teacher.share").fill("0,7")
    tokens = form.get_by_label("Cómo se divide el texto en tokens")
    tokens.select_option("byte")
    form.get_by_role("button", name="Empezar a entrenar").click()
    expect(teacher).to_be_focused()
    expect(phase(form, 2)).to_contain_text("vitral-es-gpt divide el texto en otros tokens")
    assert serious(form, "main") == []
    assert not (runs / "alumno").exists()
    tokens.select_option("teacher")
    teacher.select_option("")  # and none again: its entries go with it
    expect(form.get_by_text("phases.1.teacher.share")).to_have_count(0)
    teacher.select_option("vitral-es-gpt")
    form.get_by_role("button", name="Empezar a entrenar").click()
    form.wait_for_url("**/train?run=alumno*", timeout=WAIT)
    expect(form.locator("header .state strong")).to_have_text("Terminado", timeout=WAIT)
    first, second = read_recipe(runs / "alumno" / "recipe.yaml").phases
    assert (first.until, first.num_layers, first.teacher, second.until) == (0.5, 1, None, 1.0)
    assert second.teacher == Teacher(model="vitral-es-gpt", share=0.7, temperature=2.0)
    # What was just made may teach the next one.
    form.get_by_role("button", name="Nuevo entrenamiento").click()
    expect(field(form, "phases.1.teacher.model").locator("option")).to_have_text(
        ["ninguno", "vitral-es-gpt", "alumno"]
    )
