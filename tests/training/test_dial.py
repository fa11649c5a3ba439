"""The one dial: what it chooses, and that it keeps to its time."""

import itertools
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.training.small_runs import BOOK

from vitral.errors import VitralError
from vitral.training.recipes.dial import SIZES, _recipe, choose, forecast
from vitral.training.recipes.shapes import build_model

PAGE = "La niña lee un libro y el perro mira la calle. ¿Qué hará después, si llueve?\n\n"
BOOKS = st.floats(1e4, 1e9)


def test_sizes_are_counted_as_they_are_built(tmp_path: Path) -> None:
    for size in SIZES[:4]:
        made = _recipe({"name": "x", "minutes": 1}, size, batch=512)
        model = build_model(made.model, 512)
        matrices = [
            w for n, w in model.named_parameters() if n.startswith("layers") and w.ndim == 2
        ]
        assert sum(weight.numel() for weight in matrices) == size.num_weights
    assert all(a.num_weights < b.num_weights for a, b in itertools.pairwise(SIZES))


@given(tokens=st.floats(1e4, 1e10), corpus=BOOKS)
def test_a_larger_corpus_helps(tokens: float, corpus: float) -> None:
    size = SIZES[3].num_weights
    assert forecast(size, tokens, 2 * corpus) <= forecast(size, tokens, corpus) + 1e-9


@given(tokens=st.floats(1e4, 1e10))
def test_more_reading_helps_while_there_is_something_new(tokens: float) -> None:
    size = SIZES[3].num_weights
    assert forecast(size, 2 * tokens, 1e12) < forecast(size, tokens, 1e12)


def test_a_book_read_too_often_asks_for_a_smaller_model() -> None:
    """As on the Quijote: ten minutes of 192 × 5 were worse than three of 128 × 4."""
    book, small, large = 497_373, SIZES[2].num_weights, SIZES[3].num_weights
    assert forecast(large, 2.5e6, book) > forecast(small, 1.7e6, book)
    assert forecast(large, 2.5e6, 1e9) < forecast(small, 1.7e6, 1e9)


def test_a_text_read_once_is_worth_all_of_it_and_read_again_less() -> None:
    once = forecast(1e6, 1e6, 1e6)
    assert once == forecast(1e6, 1e6, 1e9)
    assert forecast(1e6, 4e6, 1e9) < forecast(1e6, 4e6, 1e6) < once


@pytest.mark.parametrize("speed", [1e3, 1e5, 1e7])
def test_more_time_never_asks_for_a_smaller_model(speed: float) -> None:
    """On a machine whose speed falls with the weights, and a corpus without end."""
    chosen = []
    for seconds in (10, 60, 600, 6000, 60_000):
        losses = [
            forecast(s.num_weights, speed * 1e6 / s.num_weights * seconds, 1e12) for s in SIZES
        ]
        chosen.append(losses.index(min(losses)))
    assert chosen == sorted(chosen)
    assert chosen[-1] > chosen[0]


def test_it_measures_and_keeps_to_the_time(tmp_path: Path) -> None:
    book = tmp_path / "libro.txt"
    book.write_text((BOOK + PAGE * 200) * 4, encoding="utf-8")
    began = time.monotonic()
    recipe = choose([book], 0.5, tmp_path / "run", name="libro")
    took = time.monotonic() - began
    assert recipe.minutes is not None
    assert 0.1 * 0.5 <= recipe.minutes <= 0.5  # what measuring took is gone
    assert recipe.minutes * 60 + took <= 30 + took / 2 + 1 or recipe.minutes == pytest.approx(0.05)
    assert recipe.model.form == "llama"
    assert recipe.tokenizer.vocab_size <= 512
    assert (tmp_path / "run" / "tokenizer.json").exists()


def test_an_empty_corpus_is_said_at_once(tmp_path: Path) -> None:
    book = tmp_path / "vacío.txt"
    book.write_text(" \n", encoding="utf-8")
    with pytest.raises(VitralError) as caught:
        choose([book], 1, tmp_path / "run", name="x")
    assert caught.value.key in {"corpus_empty", "document_too_short"}
