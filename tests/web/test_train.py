"""The Train room in a real browser: real trainings of a very small model."""

import json
import os
import re
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from serious import serious
from studio_process import running_studio
from tests.training.small_runs import BOOK
from train_page import SMALL, WAIT, field, training_studio, without_the_dial

import vitral
from vitral.training.runs.curve import read_curve
from vitral.training.runs.run_lock import holder_of

pytestmark = pytest.mark.browser

SENTENCE = "El perro cruzó la calle."
TINY = SMALL | {"steps": "100000", "evaluate_every": "200"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studio") / "runs"


@pytest.fixture(scope="module")
def studio(built_page: None, bert_folder: Path, runs: Path) -> Iterator[str]:
    """A Studio of this file's own, whose trainings end with it."""
    with training_studio(bert_folder, runs) as address:
        yield address


def post(address: str, path: str, body: Any) -> dict[str, Any]:
    request = urllib.request.Request(
        address + path,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found


def state(page: Page) -> Any:
    return page.locator("header .state strong")


def test_from_a_text_of_ones_own_to_explore(page: Page, runs: Path) -> None:
    without_the_dial(page)
    page.goto("/train")
    page.locator("input[type=file]").set_input_files(
        {"name": "Cuentos.txt", "mimeType": "text/plain", "buffer": BOOK.encode()}
    )
    expect(page.get_by_role("radio", name="Cuentos")).to_be_checked()
    page.get_by_label("Una frase que observar").fill(SENTENCE)
    page.get_by_text("Elige tú los ajustes").click()
    page.get_by_label("Cómo se divide el texto en tokens").select_option("byte")

    for path, value in TINY.items():
        field(page, path).fill(value)
    layers, width = field(page, "model.num_layers"), field(page, "model.hidden_size")
    layers.fill("dos")
    width.fill("15")
    page.get_by_role("button", name="Empezar a entrenar").click()
    # Both mistakes at once, each at its field, in words; what was typed stays.
    expect(layers).to_have_attribute("aria-invalid", "true")
    expect(width).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text('se esperaba un número entero ≥ 1 y ≤ 1000, no "dos"')).to_be_visible()
    expect(page.get_by_text("15 no es múltiplo de num_heads, 2")).to_be_visible()
    expect(layers).to_have_value("dos")
    layers.fill("2")
    width.fill("16")
    page.get_by_role("button", name="Empezar a entrenar").click()

    page.wait_for_url("**/train?run=cuentos*", timeout=WAIT)
    expect(state(page)).to_have_text("Entrenando", timeout=WAIT)
    expect(page.locator("figure h3").first).to_have_text("Pérdida", timeout=WAIT)
    expect(page.locator("figure circle").first).to_be_attached(timeout=WAIT)  # a look
    expect(page.locator(".cells canvas")).to_be_visible()
    expect(page.locator("[role=gridcell]")).to_have_count(4)
    page.get_by_role("button", name="Pausar").click()
    expect(state(page)).to_have_text("En pausa", timeout=WAIT)
    assert list((runs / "cuentos" / "checkpoint").iterdir())
    page.reload()  # a closed tab loses nothing
    expect(state(page)).to_have_text("En pausa")
    page.get_by_role("button", name="Reanudar").click()
    expect(state(page)).to_have_text("Entrenando", timeout=WAIT)
    page.get_by_role("button", name="Terminar ahora").click()
    expect(state(page)).to_have_text("Terminado", timeout=WAIT)

    # The film: the beginning, by keyboard, and the numbers that Python has of the same step.
    slider = page.get_by_label("Paso del entrenamiento")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("output")).to_contain_text("paso 0")
    assert "step=0" in page.url
    page.keyboard.press("ArrowRight")
    expect(page.locator("output")).to_contain_text(re.compile(r"paso 1\b"))
    page.locator("[role=gridcell][data-head='1 1']").click()
    page.get_by_text("Los pesos en una tabla").click()
    expect(page.locator("td[data-weight]").first).to_be_visible()
    from vitral.training.watching.watched_files import read_patterns

    expected = read_patterns(runs / "cuentos", 1)[1, 1].flatten().tolist()
    page.wait_for_function(
        "expected => { const cells = [...document.querySelectorAll('td[data-weight]')];"
        " return cells.length === expected.length && cells.every((cell, i) =>"
        " Math.fround(+cell.dataset.weight) === Math.fround(expected[i])) }",
        arg=expected,
    )
    # Two steps side by side, and their difference.
    before = read_patterns(runs / "cuentos", 0)[1, 1]
    page.get_by_label("Comparar con otro paso").select_option("0")
    expect(page.get_by_text("A la izquierda, el paso 1; a la derecha, el paso 0.")).to_be_visible()
    changed = read_patterns(runs / "cuentos", 1)[1, 1] - before
    moved = float(changed.abs().sum(-1).mean()) / 2
    shown_moved = page.locator("[data-moved]").get_attribute("data-moved") or "nan"
    assert float(shown_moved) == pytest.approx(moved, rel=1e-3)
    largest = page.locator("tr[data-difference]").first
    difference = float(largest.get_attribute("data-difference") or "nan")
    assert abs(difference) == pytest.approx(float(changed.abs().max()), rel=1e-4)
    page.reload()  # the address has all of it
    expect(page.locator("output")).to_contain_text(re.compile(r"paso 1\b"))
    expect(page.locator("[data-moved]")).to_have_attribute("data-moved", shown_moved)
    page.get_by_text("Los números", exact=True).click()
    looks = read_curve(runs / "cuentos" / "curve.jsonl")
    shown = page.locator("details").last.locator("tbody tr").first.locator("td").nth(1)
    expect(shown).to_have_text(f"{looks[0]['held_out_loss']:.3f}".replace(".", ","))

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert serious(page, "main") == []
    page.get_by_role("button", name="Abrir en Explorar").click()
    page.wait_for_url("**/?model=cuentos*")
    expect(page.locator("#text")).to_have_value(SENTENCE)
    tokens = vitral.load(runs / "cuentos" / "model").tokens(SENTENCE)
    chips = page.get_by_role("listbox").first.get_by_role("option")
    expect(chips).to_have_count(len(tokens))
    page.go_back()
    expect(state(page)).to_have_text("Terminado")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "es",
            {
                "foto.png": "sube un archivo que termine en .txt, .jsonl",
                "viejo.txt": "no está en UTF-8 (byte 2)",
                "roto.jsonl": "línea 2: no es un objeto JSON con un texto",
            },
        ),
        (
            "en",
            {
                "foto.png": "upload a file that ends in .txt, .jsonl",
                "viejo.txt": "is not UTF-8 (byte 2)",
                "roto.jsonl": "line 2, is not a JSON object with a text",
            },
        ),
    ],
)
def test_wrong_uploads_are_refused_in_one_clear_line(
    page: Page, language: str, said: dict[str, str]
) -> None:
    contents = {
        "foto.png": b"\x89PNG",
        "viejo.txt": b"ni\x81o",  # neither UTF-8 nor Windows-1252
        "roto.jsonl": b'{"text": "hola"}\n{"text": ',
    }
    page.goto(f"/train?lang={language}")
    for name, sentence in said.items():
        page.locator("input[type=file]").set_input_files(
            {"name": name, "mimeType": "text/plain", "buffer": contents[name]}
        )
        alert = page.locator("#upload-problem")
        expect(alert).to_contain_text(f"{name}")
        expect(alert).to_contain_text(sentence)
        expect(page.get_by_role("radio", name=name.partition(".")[0])).to_have_count(0)


def test_a_killed_studio_finds_its_training_again(
    browser: Browser, built_page: None, bert_folder: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    settings: dict[str, Any] = {
        "model.form": "llama",
        "tokenizer.kind": "byte",
        **{path: int(value) for path, value in TINY.items() if path != "batch.lengths"},
        "batch.lengths": [16],
    }
    with running_studio(bert_folder, runs=runs) as (address, process):
        port = int(address.rpartition(":")[2])
        body = {"text": "offered.numbers", "name": "larga", "watch": SENTENCE}
        post(address, "/api/training/runs", body | {"settings": settings})
        context = browser.new_context(base_url=address, locale="en-US")
        context.set_default_timeout(WAIT)
        page = context.new_page()
        page.goto("/train?run=larga")
        expect(state(page)).to_have_text("Training", timeout=WAIT)
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    expect(page.get_by_text("Trainings continue without it")).to_be_visible(timeout=WAIT)
    holder = holder_of(runs / "larga")
    assert holder is not None  # it works on
    steps = runs / "larga" / "steps.jsonl"
    before = steps.stat().st_size
    try:
        with running_studio(bert_folder, runs=runs, port=port):
            expect(page.get_by_text("Trainings continue without it")).to_be_hidden(timeout=WAIT)
            expect(state(page)).to_have_text("Training", timeout=WAIT)
            end = time.monotonic() + 60
            while steps.stat().st_size <= before and time.monotonic() < end:
                time.sleep(0.2)
            assert steps.stat().st_size > before
            page.get_by_role("button", name="Pause").click()
            expect(state(page)).to_have_text("Paused", timeout=WAIT)
            assert holder_of(runs / "larga") is None
            context.close()
    finally:
        if holder_of(runs / "larga") == holder:
            os.kill(holder, signal.SIGKILL)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_keeps_nobody_out(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto("/train")
    expect(page.locator("form h2")).to_be_visible()
    assert serious(page, "main") == []
