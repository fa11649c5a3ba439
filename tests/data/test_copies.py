"""Copies are found, whole and near, and what only looks alike is not one."""

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vitral.data.copies import Copies, _runs

WORDS = [
    "casa",
    "perro",
    "gato",
    "niña",
    "calle",
    "luna",
    "sol",
    "mar",
    "río",
    "pan",
    "vino",
    "libro",
    "mesa",
    "silla",
    "puerta",
    "flor",
]


def text_of(seed: int, length: int) -> list[str]:
    generator = random.Random(seed)
    return [generator.choice(WORDS) + str(generator.randrange(40)) for _ in range(length)]


def groups(*texts: str, near: bool = True) -> list[int]:
    copies = Copies()
    for text in texts:
        copies.add(text)
    return copies.groups(near=near)


def test_the_same_words_are_the_same_text() -> None:
    assert groups("El perro, ladra.", "Un gato", "el  PERRO ladra", "Un gato.") == [0, 1, 0, 1]
    assert groups("¡!", "¿?", "¡!") == [0, 1, 0]


def test_a_near_copy_is_found_and_another_text_is_not() -> None:
    for seed in range(20):
        book = text_of(seed, 3000)
        edition = ["Prólogo", "del", "editor", *book[:2900], *text_of(seed + 100, 90)]
        half = [*book[:1500], *text_of(seed + 200, 1500)]
        texts = (" ".join(book), " ".join(text_of(seed + 300, 3000)), " ".join(edition))
        assert groups(*texts, " ".join(half)) == [0, 1, 0, 3]
        assert groups(*texts, near=False) == [0, 1, 2]


def test_short_texts_are_only_compared_for_sameness() -> None:
    assert groups("ciento dos mil", "ciento tres mil", "ciento dos mil") == [0, 1, 0]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.floats(0, 1))
def test_the_sketches_agree_in_the_share_of_common_runs(seed: int, kept: float) -> None:
    one = text_of(seed, 2000)
    other = [*one[: int(2000 * kept)], *text_of(seed + 1, 2000 - int(2000 * kept))]
    first, second = set(_runs(one).tolist()), set(_runs(other).tolist())
    alike = len(first & second) / len(first | second)
    copies = Copies()
    copies.add(" ".join(one))
    copies.add(" ".join(other))
    copies.groups()
    found = float(np.mean(copies._sketches[0] == copies._sketches[1])) if kept < 1 else 1.0
    assert abs(found - alike) < 0.25


def test_how_they_come_by_changes_nothing() -> None:
    texts = [" ".join(text_of(seed // 2, 400 + seed % 2)) for seed in range(60)]
    found = groups(*texts)
    assert found == [2 * (number // 2) for number in range(60)]
