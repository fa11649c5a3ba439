"""Compare in a real browser: two heads side by side, and their difference in exact numbers."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from explore_page import SENTENCE, ExplorePage
from playwright.sync_api import Page, expect

import vitral
from vitral.explain.words import word_pattern
from vitral.model import Model
from vitral.tracing.token import Token

pytestmark = pytest.mark.browser

AT: dict[str, Any] = {"at": "layers.1.attention.pattern", "head": 2, "token": 4, "view": "compare"}
MIXED = "El perrazo que persiguió al gatito cruzó la ciudad."  # split otherwise by each model
OTHER = "El perro que persiguió al niño cruzó la calle."


@pytest.fixture
def room(page: Page) -> ExplorePage:
    return ExplorePage(page)


@pytest.fixture(scope="module")
def bert(bert_folder: Path) -> Model:
    return vitral.load(str(bert_folder))


def expect_bars(
    page: Page, left: torch.Tensor, right: torch.Tensor, tolerance: float = 1e-6
) -> None:
    """Wait until the pairs of bars are these two rows [pieces]."""
    page.wait_for_function(
        """([left, right, tolerance]) => {
            const at = (piece, name) =>
                +document.querySelector(`tr[data-piece="${piece}"] [data-${name}]`)?.dataset[name];
            const near = (name, row) =>
                row.every((weight, piece) => Math.abs(weight - at(piece, name)) < tolerance);
            return document.querySelectorAll("tr[data-piece]").length === left.length &&
                near("left", left) && near("right", right);
        }""",
        arg=[left.tolist(), right.tolist(), tolerance],
    )


def test_two_heads_of_one_text(room: ExplorePage, bert: Model) -> None:
    room.open(**AT)
    trace = bert.trace(SENTENCE)
    # Nothing was chosen: it begins with the next head, and says so in the address.
    room.expect_place(with_head="3")
    room.expect_largest(trace.attention(1, 2), trace.attention(1, 3))
    expect_bars(room.page, trace.attention(1, 2)[4], trace.attention(1, 3)[4])
    moved = (trace.attention(1, 2) - trace.attention(1, 3)).abs().sum(-1).mean() / 2
    shown = float(room.page.locator("[data-moved]").get_attribute("data-moved") or "nan")
    assert shown == pytest.approx(float(moved), abs=1e-5)
    room.page.get_by_label("Capa de la derecha").select_option("2")
    room.page.get_by_label("Cabeza de la derecha").select_option("0")
    room.expect_place(with_layer="2", with_head="0")
    room.expect_largest(trace.attention(1, 2), trace.attention(2, 0))
    # The left follows the room.
    room.pane(0, 1).click()
    room.chips.nth(2).click()
    room.expect_largest(trace.attention(0, 1), trace.attention(2, 0))
    expect_bars(room.page, trace.attention(0, 1)[2], trace.attention(2, 0)[2])


def test_with_edits_it_is_the_difference_that_they_make(room: ExplorePage, bert: Model) -> None:
    room.open(**(AT | {"edits": "silence-0-1_weight-1-2-4-6-0.5"}))
    before = bert.trace(SENTENCE)
    with bert.edit() as edit:
        edit.silence(0, 1)
        edit.set_cell(1, 2, row=4, column=6, value=0.5)
        after = bert.trace(SENTENCE)
    expect(room.page.get_by_text("Sin tus cambios.")).to_be_visible()
    room.expect_largest(after.attention(1, 2), before.attention(1, 2))
    pattern = vitral.difference(before, after).pattern(1, 2)
    room.expect_largest(pattern, torch.zeros_like(pattern))


def test_every_cell_tells_its_three_numbers(room: ExplorePage, bert: Model) -> None:
    room.open(**(AT | {"with_head": 0, "lang": "en"}))
    trace = bert.trace(SENTENCE)
    left, right = trace.attention(1, 2), trace.attention(1, 0)
    room.expect_largest(left, right)
    room.page.get_by_role("application", name="Map of the difference").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        room.page.keyboard.press(key)
    words = [token.text for token in trace.tokens]
    told = room.page.get_by_text(f"“{words[5]}” looks at “{words[1]}”: left")
    for number in (left[5, 1], right[5, 1], (left - right)[5, 1].abs()):
        expect(told).to_contain_text(f"{float(number):.4f}")
    # The same cell is pointed at in all three maps.
    expect(room.page.locator("rect.cross")).to_have_count(3)
    room.page.get_by_role("button", name="Copy table").click()
    copied = room.page.evaluate("navigator.clipboard.readText()").strip().split("\n")
    assert copied[0].split("\t") == ["From", "To", "Left", "Right", "Difference: left − right"]
    assert len(copied) == 1 + int((left != right).sum())
    first = copied[1].split("\t")
    assert float(first[4]) == pytest.approx(float(first[2]) - float(first[3]), abs=1e-7)
    assert abs(float(first[4])) == pytest.approx(float((left - right).abs().max()), abs=1e-7)


def grouped(pattern: torch.Tensor, groups: list[list[int]]) -> torch.Tensor:
    """Summed over the keys of a group, averaged over its queries."""
    belongs: list[int | None] = [None] * len(pattern)
    for number, group in enumerate(groups):
        for token in group:
            belongs[token] = number
    return word_pattern(pattern[None], belongs, len(groups))[0]


def ends(tokens: list[Token]) -> dict[int, int]:
    """Each token that stands for text, and how many characters that are no space end with it."""
    return {
        place: len("".join(MIXED[: token.end].split()))
        for place, token in enumerate(tokens)
        if token.end is not None
    }


def common_pieces(left: list[Token], right: list[Token]) -> list[list[list[int]]]:
    """For both sides the tokens between every two places where both end a token."""
    both = ends(left), ends(right)
    cuts = sorted(set(both[0].values()) & set(both[1].values()))
    return [
        [[place for place, end in side.items() if first < end <= last] for side in both]
        for first, last in zip([0, *cuts], cuts, strict=False)
    ]


def test_two_models_are_aligned_by_characters(
    room: ExplorePage, bert: Model, llama_folder: Path
) -> None:
    llama = vitral.load(str(llama_folder))
    room.open(**(AT | {"text": MIXED}))
    room.page.get_by_label("Modelo de la derecha").select_option("small-llama")
    room.page.get_by_label("Cabeza de la derecha").select_option("1")
    room.expect_place(with_model="small-llama", with_head="1")
    expect(room.page.get_by_text("dividido en tokens distintos")).to_be_visible()
    one, two = bert.trace(MIXED), llama.trace(MIXED)
    pieces = common_pieces(one.tokens, two.tokens)
    assert any(len(left) != len(right) for left, right in pieces)
    left = grouped(one.attention(1, 2), [piece[0] for piece in pieces])
    right = grouped(two.attention(1, 1), [piece[1] for piece in pieces])
    room.expect_largest(left, right)
    mine = next(number for number, piece in enumerate(pieces) if 4 in piece[0])
    expect_bars(room.page, left[mine], right[mine])


def test_two_sentences_are_paired_at_their_ends(room: ExplorePage, bert: Model) -> None:
    room.open(**(AT | {"with_text": "x"}))
    room.page.get_by_label("Texto de la derecha").fill(OTHER)
    room.expect_place(with_text=OTHER)
    expect(room.page.get_by_text("cuenta como un solo trozo")).to_be_visible()
    one, two = bert.trace(SENTENCE), bert.trace(OTHER)
    ids = [[token.id for token in trace.tokens] for trace in (one, two)]
    head = next(i for i, (a, b) in enumerate(zip(*ids, strict=False)) if a != b)
    tail = next(
        i for i, (a, b) in enumerate(zip(ids[0][::-1], ids[1][::-1], strict=False)) if a != b
    )
    assert head > 3
    assert tail > 3
    groups = [
        [[i] for i in range(head)]
        + [list(range(head, len(side) - tail))]
        + [[i] for i in range(len(side) - tail, len(side))]
        for side in ids
    ]
    left = grouped(one.attention(1, 2), groups[0])
    right = grouped(two.attention(1, 2), groups[1])
    room.expect_largest(left, right)
    # The same text again is the same head again, and that is said.
    room.page.get_by_label("Texto de la derecha").fill(SENTENCE)
    expect(room.page.get_by_text("Los dos lados son idénticos.")).to_be_visible()


def test_where_no_difference_can_be_taken_it_says_why(room: ExplorePage) -> None:
    room.open(**(AT | {"with_text": "Ahora"}))
    expect(room.page.get_by_text("No se puede calcular la diferencia")).to_be_visible()
    expect(room.page.get_by_role("application")).to_have_count(2)
    room.open(**(AT | {"with_model": "nobody", "lang": "en"}))
    expect(room.page.get_by_role("alert").filter(has_text="nobody")).to_be_visible()


def in_cells(pattern: torch.Tensor, count: int = 256) -> torch.Tensor:
    """What goes to the tokens of each of `count` shares, averaged over those of each share."""
    edges = [at * len(pattern) // count for at in range(count + 1)]
    parts = list(itertools.pairwise(edges))
    sums = torch.stack([pattern[:, first:end].sum(1) for first, end in parts], dim=1)
    return torch.stack([sums[first:end].mean(0) for first, end in parts])


def test_long_texts_are_compared_in_cells(room: ExplorePage, long_folder: Path) -> None:
    long = "El gato duerme. " * 45
    room.open(**(AT | {"model": "long-llama", "text": long, "with_head": 1, "head": 0}))
    trace = vitral.load(str(long_folder)).trace(long)
    assert len(trace.tokens) > 256
    left, right = in_cells(trace.attention(1, 0)), in_cells(trace.attention(1, 1))
    torch.testing.assert_close(left.sum(1), torch.ones(256), atol=1e-5, rtol=0)
    room.expect_largest(left, right, tolerance=1e-5)  # sums of rounded means
    room.page.get_by_role("button", name="256").click()
    place = max(at for at in range(256) if at * len(trace.tokens) // 256 <= AT["token"])
    expect_bars(room.page, left[place], right[place], tolerance=1e-5)
    expect(room.page.get_by_text("El texto es largo: cada celda reúne")).to_be_visible()
    # Of two texts there are two maps, and it is said why there is no third.
    room.page.get_by_label("Texto de la derecha").fill(long + "Y ya está.")
    expect(
        room.page.get_by_text("solo se pueden comparar si tienen los mismos tokens")
    ).to_be_visible()
    expect(room.page.get_by_role("application")).to_have_count(2)


def test_a_link_reopens_the_comparison(room: ExplorePage, bert: Model) -> None:
    room.open(**(AT | {"with_text": OTHER, "with_layer": 2, "with_head": 1}))
    expect(room.page.locator("tr[data-difference]").first).to_be_visible()
    room.page.get_by_role("button", name="Copiar enlace").click()
    other = room.page.context.new_page()
    other.goto(room.page.evaluate("navigator.clipboard.readText()"))
    expect(other.get_by_label("Texto de la derecha")).to_have_value(OTHER)
    expect(other.get_by_label("Capa de la derecha")).to_have_value("2")
    expect(other.get_by_label("Cabeza de la derecha")).to_have_value("1")
    expect(other.locator("tr[data-difference]")).to_have_count(12)
