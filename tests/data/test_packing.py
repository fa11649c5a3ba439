from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitral.data.packing import NOT_ASKED, Packing
from vitral.data.token_file import TokenFile
from vitral.errors import VitralError

BEGIN, END = 1, 2


def tokens_of(sizes: list[int]) -> TokenFile:
    """Documents of these sizes; every token of the corpus has an id of its own, from 10 on."""
    documents = np.cumsum([0, *sizes[:-1]])
    return TokenFile(np.arange(10, 10 + sum(sizes), dtype=np.uint32), documents, documents)


def questions(packing: Packing, rows: int) -> list[tuple[int, int]]:
    """All pairs of a token and the one that is asked for after it, in an epoch."""
    steps = -(-packing.num_rows // rows)
    pairs: list[tuple[int, int]] = []
    for step in range(steps):
        read = packing.rows(step, rows)
        number = min(rows, packing.num_rows - step * rows)
        asked = read.targets[:number] != NOT_ASKED
        pairs += zip(
            read.ids[:number][asked].tolist(), read.targets[:number][asked].tolist(), strict=True
        )
    return pairs


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=40),
    length=st.integers(2, 16),
    begin=st.sampled_from([None, BEGIN]),
    end=st.sampled_from([None, END]),
    seed=st.integers(0, 5),
)
def test_an_epoch_asks_every_question_once_and_none_across_a_border(
    sizes: list[int], length: int, begin: int | None, end: int | None, seed: int
) -> None:
    tokens = tokens_of(sizes)
    marks = ([] if begin is None else [begin]), ([] if end is None else [end])
    expected: list[tuple[int, int]] = []
    for first, size in zip(tokens.documents, sizes, strict=True):
        whole = [*marks[0], *tokens.ids[first : first + size].tolist(), *marks[1]]
        expected += pairwise(whole)
    if not expected:
        with pytest.raises(VitralError):
            Packing(tokens, length, seed=seed, begin=begin, end=end)
        return
    packing = Packing(tokens, length, seed=seed, begin=begin, end=end)
    assert Counter(questions(packing, 1)) == Counter(expected)


@settings(deadline=None)
@given(st.lists(st.integers(2, 30), min_size=2, max_size=40), st.integers(3, 16))
def test_documents_are_numbered_as_they_stand(sizes: list[int], length: int) -> None:
    tokens = tokens_of(sizes)
    packing = Packing(tokens, length, seed=0)
    read = packing.rows(0, packing.num_rows)
    document_of = np.searchsorted(tokens.documents, read.ids - 10, side="right")
    for row in range(packing.num_rows):
        numbers, asked = read.documents[row], read.targets[row] != NOT_ASKED
        assert numbers[0] == 0
        assert set(np.diff(numbers)) <= {0, 1}
        assert not asked[np.argmin(asked) :].any() or asked.all()  # padding stands at the end
        if not asked.all():
            assert numbers[~asked].min() == numbers[asked].max() + 1
        for number in range(numbers[asked].max() + 1):
            assert len(set(document_of[row][asked & (numbers == number)])) == 1


def test_rows_are_well_filled() -> None:
    sizes = np.random.default_rng(0).integers(5, 120, 3000).tolist()
    packing = Packing(tokens_of(sizes), 128, seed=1, begin=BEGIN, end=BEGIN)
    assert 0.97 < packing.filled <= 1
    asked = packing.rows(0, packing.num_rows).targets != NOT_ASKED
    assert asked.mean() == pytest.approx(packing.filled)


def test_steps_are_the_same_again_and_can_be_shared_out() -> None:
    tokens = tokens_of([7, 3, 9, 4, 12, 5, 6, 8] * 20)
    packing = Packing(tokens, 16, seed=3, begin=BEGIN)
    whole = packing.rows(5, 8)
    again = Packing(tokens, 16, seed=3, begin=BEGIN)
    assert np.array_equal(again.rows(5, 8).ids, whole.ids)
    halves = [again.rows(5, 8, slice(0, 3)), again.rows(5, 8, slice(3, 8))]
    for name in ("ids", "targets", "documents"):
        joined = np.concatenate([getattr(half, name) for half in halves])
        assert np.array_equal(joined, getattr(whole, name))
    assert not np.array_equal(Packing(tokens, 16, seed=4, begin=BEGIN).rows(5, 8).ids, whole.ids)


def test_epochs_take_all_rows_in_other_orders() -> None:
    packing = Packing(tokens_of([5] * 30), 12, seed=0)
    first = packing.rows(0, packing.num_rows).ids
    second = packing.rows(1, packing.num_rows).ids
    assert not np.array_equal(first, second)
    assert sorted(map(tuple, first.tolist())) == sorted(map(tuple, second.tolist()))
    across = packing.rows(0, packing.num_rows + 2).ids  # a step that ends in the next epoch
    assert np.array_equal(across[-2:], second[:2])
