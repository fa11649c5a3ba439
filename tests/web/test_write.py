"""The Write room in a real browser: what it writes and shows is the model's own."""

from pathlib import Path

import pytest
import torch
from playwright.sync_api import Page, Request, expect
from write_page import WritePage

import vitral
from vitral.generation.sampling import Sampling
from vitral.messages import message
from vitral.model import Model

pytestmark = pytest.mark.browser

TEXT = "La niña lee"
BUNDLED = "vitral-es-gpt"
START = "Había una vez"


@pytest.fixture
def room(page: Page) -> WritePage:
    return WritePage(page)


@pytest.fixture(scope="module")
def llama(llama_folder: Path) -> Model:
    return vitral.load(str(llama_folder))


@pytest.fixture(scope="module")
def gpt() -> Model:
    return vitral.load(BUNDLED)


def expect_bars(room: WritePage, logits: torch.Tensor, read: list[int], sampling: Sampling) -> None:
    """The candidates shown are the likeliest, with these shares."""
    scores = sampling.scores(logits[None], torch.tensor([read]))[0]
    shares = scores.softmax(-1)
    own = logits.softmax(-1)
    shown = room.shown()
    assert len(shown) == 12
    for token, (share, probability) in shown.items():
        assert share == pytest.approx(float(shares[token]), abs=1e-5)
        assert probability == pytest.approx(float(own[token]), abs=1e-5)
    assert sum(share for share, _ in shown.values()) == pytest.approx(
        float(shares.topk(12).values.sum()), abs=1e-4
    )


def test_bars_move_with_the_dials_and_ask_for_nothing(room: WritePage, llama: Model) -> None:
    room.open(model="small-llama", text=TEXT, temperature=1, top_p="no")
    trace = llama.trace(TEXT)
    logits, read = trace["logits"][-1], [token.id for token in trace.tokens]
    expect_bars(room, logits, read, Sampling(1.0))
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/api/" in request.url:
            asked.append(request.url)

    room.page.on("request", note)
    room.set("temperature", 0.5)
    expect_bars(room, logits, read, Sampling(0.5))
    room.set("top-k", 4)  # the dial's fifth place: 5
    expect_bars(room, logits, read, Sampling(0.5, top_k=5))
    room.set("top-p", 0.6)
    expect_bars(room, logits, read, Sampling(0.5, top_k=5, top_p=0.6))
    room.set("top-k", 22)
    room.set("top-p", 1)
    room.set("min-p", 0.3)
    expect_bars(room, logits, read, Sampling(0.5, min_p=0.3))
    room.set("penalty", 1.5)
    expect_bars(room, logits, read, Sampling(0.5, min_p=0.3, repetition_penalty=1.5))
    assert asked == []


@pytest.mark.parametrize(
    ("place", "options"),
    [
        ({"temperature": 0}, {}),
        ({"temperature": 0.8, "seed": 7}, {"temperature": 0.8, "top_p": 0.9, "seed": 7}),
        (
            {"temperature": 1.1, "top_k": 37, "top_p": "no", "repetition_penalty": 1.2, "seed": 99},
            {"temperature": 1.1, "top_k": 37, "repetition_penalty": 1.2, "seed": 99},
        ),
    ],
)
def test_the_text_is_that_of_python(
    room: WritePage, gpt: Model, place: dict[str, object], options: dict[str, object]
) -> None:
    room.open(text=START, tokens=25, **place)
    room.write()
    assert START + room.text() == gpt.generate(START, max_new_tokens=25, **options)
    expect(room.written).to_have_count(25)


def test_the_same_seed_writes_the_same_again(room: WritePage) -> None:
    room.open(text=START, tokens=12, seed=5)
    room.write()
    first = room.text()
    room.page.get_by_role("button", name="Al comienzo").click()
    expect(room.written).to_have_count(0)
    expect(room.rest).to_have_count(12)
    room.write()
    assert room.text() == first
    expect(room.branches).to_have_count(1)
    room.page.get_by_role("button", name="Al comienzo").click()
    room.page.locator("#seed").fill("6")
    room.page.locator("#seed").press("Enter")
    room.write()
    assert room.text() != first
    expect(room.branches).to_have_count(2)
    assert room.place()["seed"] == ["6"]


def test_a_step_says_what_was_drawn(room: WritePage, gpt: Model) -> None:
    room.open(text=START, seed=7)
    room.step()
    logits = gpt.trace(START)["logits"][-1]
    tokens = gpt.trace_generation(START, max_new_tokens=1, temperature=0.8, top_p=0.9, seed=7)
    token = tokens.tokens[-1]
    rank = int((logits > logits[token.id]).sum()) + 1
    own = 100 * float(logits.softmax(-1)[token.id])
    came = room.page.locator(".came")
    expect(came).to_contain_text(f"«{token.text.strip()}»: elegido por muestreo")
    expect(came).to_contain_text(f"puesto {rank} de 8192")
    expect(came).to_contain_text(f"{own:.1f} % sin los ajustes".replace(".", ","))
    told = room.page.get_by_test_id("teller")
    expect(told).to_contain_text(f"«{token.text.strip()}»")


def test_any_candidate_can_be_taken_and_every_branch_visited(room: WritePage, gpt: Model) -> None:
    room.open(text=START, tokens=8, seed=7)
    room.write()
    first = room.text()
    # Back to the third token: what came after it stays, faint.
    room.written.nth(2).click()
    expect(room.rest).to_have_count(5)
    expect(room.candidates.first).to_be_enabled()
    taken = list(room.shown())[4]
    room.page.locator(f"[data-candidate='{taken}']").click()
    expect(room.written).to_have_count(4)
    expect(room.page.locator(".came")).to_contain_text("lo elegiste tú")
    expect(room.branches).to_have_count(2)
    room.write()
    expect(room.written).to_have_count(12)
    # What follows is what the model makes of the ids as they are.
    trace = gpt.trace_generation(START, max_new_tokens=3, temperature=0.8, top_p=0.9, seed=7)
    ids = [*(token.id for token in trace.tokens), taken]
    room.written.nth(3).click()
    expect(room.rest).to_have_count(8)
    expect(room.candidates.first).to_be_enabled()
    logits = gpt.trace(ids=ids)["logits"][-1]
    expect_bars(room, logits, ids, Sampling(0.8, top_p=0.9))
    # The first branch again, by the keyboard.
    room.page.locator(".lanes [aria-selected=true]").focus()
    room.page.keyboard.press("ArrowUp")
    expect(room.written).to_have_count(8)
    assert room.text() == first
    # And through its tokens.
    room.page.locator(".text [aria-selected=true]").focus()
    room.page.keyboard.press("ArrowLeft")
    expect(room.written).to_have_count(7)
    expect(room.page.locator(".text .written[aria-selected=true]")).to_be_focused()
    room.page.keyboard.press("Home")
    expect(room.rest).to_have_count(8)


def test_attention_of_the_newest_token(room: WritePage, gpt: Model) -> None:
    room.open(text=START, tokens=6, seed=7)
    room.write()
    room.tab("A qué mira").click()
    trace = gpt.trace_generation(START, max_new_tokens=6, temperature=0.8, top_p=0.9, seed=7)
    patterns = torch.stack(
        [torch.stack([trace.attention(a, b)[-1] for b in range(8)]) for a in range(6)]
    )
    rows = "all => all.map(r => [+r.dataset.key, +r.querySelector('[data-weight]').dataset.weight])"

    def expect_row(expected: torch.Tensor) -> None:
        room.page.wait_for_function(
            "([expected]) => { const rows = [...document.querySelectorAll('tr[data-key]')];"
            " const weight = row => +row.querySelector('[data-weight]').dataset.weight;"
            " return rows.length === expected.length && rows.every("
            "row => Math.abs(weight(row) - expected[+row.dataset.key]) < 1e-4) }",
            arg=[expected.tolist()],
        )

    expect_row(patterns.mean((0, 1)))
    room.page.locator("#write-layer").select_option("3")
    expect_row(patterns[3].mean(0))
    room.page.locator("#write-head").select_option("5")
    expect_row(patterns[3, 5])
    assert (room.place()["layer"], room.place()["head"]) == (["3"], ["5"])
    found = room.page.eval_on_selector_all("tr[data-key]", rows)
    weights = [weight for _, weight in found]
    assert weights == sorted(weights, reverse=True)
    # The same weights stand under the text.
    under = room.page.eval_on_selector_all(
        ".text [data-weight]", "all => all.map(e => +e.dataset.weight)"
    )
    assert under == pytest.approx(patterns[3, 5].tolist(), abs=1e-4)
    room.page.get_by_role("button", name="Copiar tabla").click()
    copied = room.page.evaluate("navigator.clipboard.readText()").strip().split("\n")
    assert len(copied) == len(trace.tokens) + 1


def test_the_context_fills_up_and_may_be_forgotten(room: WritePage, llama: Model) -> None:
    room.open(model="small-llama", text=TEXT, tokens=200, temperature=0)
    room.write()
    num_read = len(llama.tokens(TEXT))
    expect(room.written).to_have_count(128 - num_read)
    expect(room.page.locator(".over")).to_have_text(message("studio.write_end_context", "es"))
    expect(room.page.locator("meter")).to_have_attribute("value", "128")
    expect(room.primary).to_be_disabled()
    room.page.locator("#windowed").select_option("go")
    expect(room.candidates.first).to_be_visible()
    expect(room.page.locator(".text .forgotten")).to_have_count(64)
    room.page.locator("#tokens").fill("5")
    room.page.locator("#tokens").press("Enter")
    room.write()
    expect(room.written).to_have_count(133 - num_read)
    expected = llama.generate(TEXT, max_new_tokens=133 - num_read, windowed=True)
    assert (TEXT + room.text()).rstrip("\ufffd") == expected.rstrip("\ufffd")


def test_a_stop_string(room: WritePage, gpt: Model) -> None:
    options = {"max_new_tokens": 60, "temperature": 0.8, "top_p": 0.9, "seed": 7}
    whole = gpt.generate(START, **options)
    stop = whole[40:43]
    room.open(text=START, tokens=60, seed=7, stop=stop)
    room.write()
    expect(room.page.locator(".came strong")).to_have_text(message("studio.write_ended_stop", "es"))
    expected = gpt.generate(START, **options, stop=[stop])
    assert (START + room.text()).startswith(expected)
    assert stop in room.text()


def test_what_cannot_write_is_said_and_another_offered(room: WritePage) -> None:
    room.page.goto("/write?model=small-bert")
    expect(room.notice).to_contain_text("small-bert no puede escribir")
    room.page.get_by_role("button", name="Usar Vitral GPT").click()
    expect(room.candidates.first).to_be_visible(timeout=60_000)
    expect(room.notice).to_have_text("")
    assert room.place()["model"] == [BUNDLED]


def test_strategies_side_by_side(room: WritePage, gpt: Model) -> None:
    room.open(text=START, tokens=10, seed=7)
    room.page.get_by_role("button", name="Comparar estrategias").click()
    room.page.get_by_role("button", name="Ejecutar todas").click()
    expect(room.page.locator("article.best")).to_have_count(1, timeout=60_000)
    ways = {
        "greedy": {},
        "temperature": {"temperature": 0.8, "seed": 7},
        "top_k": {"temperature": 0.8, "top_k": 40, "seed": 7},
        "top_p": {"temperature": 0.8, "top_p": 0.9, "seed": 7},
        "min_p": {"temperature": 0.8, "min_p": 0.05, "seed": 7},
        "beam": {"num_beams": 4},
    }
    for name, options in ways.items():
        column = room.page.locator(f"[data-strategy={name}] .written")
        expected = gpt.generate(START, max_new_tokens=10, **options)[len(START) :]
        assert column.text_content() == expected.lstrip()
    logits = gpt.trace_generation(START, max_new_tokens=10)
    count = len(logits.tokens) - 10
    rows = logits["logits"].log_softmax(-1)[count - 1 : -1]
    mean = (
        sum(float(row[token.id]) for row, token in zip(rows, logits.tokens[count:], strict=True))
        / 10
    )
    said = f"{mean:.2f}".replace("-", "−").replace(".", ",")
    expect(room.page.locator("[data-strategy=greedy] footer")).to_contain_text(said)
    room.page.locator("[data-strategy=beam]").get_by_role("button").click()
    expect(room.written).to_have_count(10)
    assert START + room.text() == gpt.generate(START, max_new_tokens=10, num_beams=4)


def test_the_written_text_opens_in_explore(room: WritePage) -> None:
    room.open(text=START, tokens=4, seed=7)
    room.write()
    text = START + room.text()
    room.page.get_by_role("button", name="Abrir en Explorar").click()
    expect(room.page.locator("#text")).to_have_value(text)
    expect(room.page.locator("[role=gridcell]:not(.waiting)").first).to_be_visible()
    room.page.go_back()
    expect(room.written).to_have_count(4)


def test_a_link_opens_the_same_room(room: WritePage) -> None:
    room.open(text=TEXT, temperature=0.35, top_k=20, seed=11, tokens=9, stop="x", windowed=1)
    expect(room.beginning).to_have_value(TEXT)
    for field, value in {"seed": "11", "tokens": "9", "stop": "x", "windowed": "go"}.items():
        expect(room.page.locator(f"#{field}")).to_have_value(value)
    expect(room.page.locator("#temperature")).to_have_value("0.35")
    room.write()
    first = room.text()
    room.page.goto(room.page.url)
    expect(room.candidates.first).to_be_visible()
    room.page.get_by_role("button", name="Al comienzo").click()
    expect(room.written).to_have_count(0)
    room.write()
    assert room.text() == first


def test_a_page_loaded_again_has_every_branch(room: WritePage) -> None:
    room.open(text=START, tokens=5, seed=7)
    room.write()
    first = room.text()
    room.written.nth(1).click()
    expect(room.candidates.first).to_be_enabled()
    room.candidates.nth(6).click()
    expect(room.branches).to_have_count(2)
    expect(room.written).to_have_count(3)
    room.page.reload()
    expect(room.candidates.first).to_be_visible()
    expect(room.branches).to_have_count(2)
    expect(room.written).to_have_count(3)
    room.branches.first.click()
    expect(room.written).to_have_count(5)
    assert room.text() == first
    # A beginning of its own has a tree of its own.
    room.beginning.fill("La casa")
    expect(room.written).to_have_count(0)
    expect(room.branches).to_have_count(0)


def test_a_page_loaded_again_in_mid_stream_has_what_was_written(room: WritePage) -> None:
    room.open(text=START, tokens=100, seed=7)
    room.primary.click()
    expect(room.written.nth(4)).to_be_visible()
    room.page.reload()
    expect(room.written.nth(4)).to_be_visible()


def test_in_english(room: WritePage) -> None:
    room.open(text=START, tokens=3, lang="en")
    room.primary.click()
    room.wait_for_the_end()
    expect(room.written).to_have_count(3)
    expect(room.page.locator("#write-panel .what")).to_contain_text("What comes after “")
    expect(room.page.locator(".came")).to_contain_text("without the settings")
    room.step("One token")
    assert room.page.title() == "Write · Vitral"
