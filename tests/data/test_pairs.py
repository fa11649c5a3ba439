"""Pairs from files and by rule, their tokenizer, and batches of about one length."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from vitral.data.pair_file import PairFile, padded
from vitral.data.pairs import (
    Pair,
    generate_pairs,
    pair_marks,
    read_pairs,
    train_pair_tokenizer,
)
from vitral.data.spanish_dates import date_from_words
from vitral.data.spanish_numbers import number_from_words
from vitral.errors import VitralError

NUMBERS = list(generate_pairs(["spanish_numbers"], digits=6, count=3000, seed=1))


def test_files_and_folders_give_their_pairs(tmp_path: Path) -> None:
    folder = tmp_path / "pares"
    (folder / "mas").mkdir(parents=True)
    # "niño" is typed with a combining tilde here, and comes out as the usual one.
    (folder / "uno.tsv").write_bytes("\ufeff1\tuno\r\n\n2\tel nin\u0303o\n".encode())
    line = json.dumps({"source": "3", "target": "tres\ty más", "other": 0})
    (folder / "mas" / "dos.jsonl").write_text(line, encoding="utf-8")
    (folder / "notas.txt").write_text("no es un par")
    of_folder = [Pair("3", "tres\ty más"), Pair("1", "uno"), Pair("2", "el niño")]
    assert list(read_pairs([folder])) == of_folder
    assert list(read_pairs([folder / "uno.tsv", str(folder / "mas")])) == [
        *of_folder[1:],
        of_folder[0],
    ]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.tsv", "1\tuno\n2 dos\n", 2),
        ("a.tsv", "1\tuno\tun\n", 1),
        ("a.tsv", "\n\n1\t \n", 3),
        ("a.jsonl", '{"source": "1", "target": "uno"}\n{"source": "2"}\n', 2),
        ("a.jsonl", '{"source": 1, "target": "uno"}\n', 1),
        ("a.jsonl", "[1]\n", 1),
        ("a.jsonl", "{\n", 1),
    ],
)
def test_a_line_that_is_no_pair_is_named(
    name: str, content: str, line: int, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(VitralError) as caught:
        list(read_pairs([tmp_path / name]))
    assert caught.value.key == "pair_invalid"
    assert caught.value.values["line"] == line


def test_other_mistakes_with_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1\tuno")
    (tmp_path / "b.tsv").write_bytes(b"1\tuno\n2\td\xf3s\n")
    for path, key in (
        (tmp_path / "none", "source_missing"),
        (tmp_path / "a.txt", "pair_file_unknown"),
        (tmp_path / "b.tsv", "file_not_utf8"),
    ):
        with pytest.raises(VitralError) as caught:
            list(read_pairs([path]))
        assert caught.value.key == key
    assert caught.value.values["position"] == 9
    (tmp_path / "empty").mkdir()
    with pytest.raises(VitralError) as caught:
        list(read_pairs([tmp_path / "empty"]))
    assert caught.value.key == "data_missing"


def test_generated_pairs_are_right_and_the_same_again() -> None:
    assert list(generate_pairs(["spanish_numbers"], digits=6, count=3000, seed=1)) == NUMBERS
    other = list(generate_pairs(["spanish_numbers"], digits=6, count=3000, seed=2))
    assert sum(a == b for a, b in zip(NUMBERS, other, strict=True)) < 100
    for pair in NUMBERS:
        assert str(number_from_words(pair.target)) == pair.source.replace(".", "")
    lengths = Counter(len(pair.source.replace(".", "")) for pair in NUMBERS)
    assert set(lengths) == set(range(1, 7))
    assert all(420 < number < 580 for number in lengths.values())  # 500 each are expected


def test_kinds_take_turns() -> None:
    pairs = list(generate_pairs(["spanish_dates", "spanish_numbers"], digits=12, count=50, seed=3))
    for date, number in zip(pairs[::2], pairs[1::2], strict=True):
        day = date_from_words(date.target)
        assert date.source == f"{day.day}/{day.month}/{day.year}"
        assert number_from_words(number.target) == int(number.source.replace(".", ""))


@pytest.mark.parametrize("kind", ["character", "byte", "bpe"])
def test_one_tokenizer_reads_and_writes_both_sides(kind: str) -> None:
    tokenizer = train_pair_tokenizer(NUMBERS, kind, 80)
    marks = pair_marks(tokenizer)
    assert len(set(marks.values())) == 3
    for pair in NUMBERS[:50]:
        for text in (pair.source, pair.target):
            ids = tokenizer.encode(text).ids
            assert ids[-1] == marks["eos_token_id"]
            assert not {*marks.values()} & {*ids[:-1]}
            begun = [marks["decoder_start_token_id"], *ids, marks["pad_token_id"]]
            assert tokenizer.decode(begun) == text


@pytest.fixture
def numbers(tmp_path: Path) -> PairFile:
    tokenizer = train_pair_tokenizer(NUMBERS, "character", 80)
    return PairFile.write(NUMBERS, tokenizer, tmp_path / "pairs")


def test_a_pair_file_holds_what_was_written(numbers: PairFile, tmp_path: Path) -> None:
    tokenizer = train_pair_tokenizer(NUMBERS, "character", 80)
    assert PairFile.exists(tmp_path / "pairs")
    assert not PairFile.exists(tmp_path / "other")
    again = PairFile.open(tmp_path / "pairs")
    assert len(again) == len(numbers) == len(NUMBERS)
    assert again.source_ids.dtype == np.uint16
    for number in (0, 1023, 1024, 2999):
        assert tokenizer.decode(again.source(number).tolist()) == NUMBERS[number].source
        assert tokenizer.decode(again.target(number).tolist()) == NUMBERS[number].target
        assert again.target(number)[-1] == tokenizer.token_to_id("</s>")
    longest = max(len(pair.source) for pair in NUMBERS), max(len(p.target) for p in NUMBERS)
    assert again.longest == (longest[0] + 1, longest[1] + 1)


def test_a_step_draws_pairs_of_about_one_length(numbers: PairFile) -> None:
    sizes, filled = [], []
    for step in range(300):
        drawn = numbers.draw(step, num_tokens=2000, seed=5)
        assert len(set(drawn.tolist())) == len(drawn)
        rows = [[numbers.source(n) for n in drawn], [numbers.target(n) for n in drawn]]
        tokens = sum(len(row) for side in rows for row in side)
        sizes.append(tokens)
        filled.append(tokens / sum(padded(side, 0).size for side in rows))
    assert min(sizes) > 1900
    assert max(sizes) <= 2000
    assert np.mean(filled) > 0.85
    random = np.random.default_rng(0).choice(len(numbers), 60, replace=False)
    rows = [[numbers.source(n) for n in random], [numbers.target(n) for n in random]]
    by_chance = sum(len(r) for side in rows for r in side) / sum(padded(s, 0).size for s in rows)
    assert 0.3 < by_chance < np.mean(filled) - 0.2
    same = numbers.draw(7, num_tokens=2000, seed=5)
    assert np.array_equal(same, numbers.draw(7, num_tokens=2000, seed=5))
    assert not np.array_equal(same[:5], numbers.draw(8, num_tokens=2000, seed=5)[:5])


def test_every_pair_is_as_likely_as_another(numbers: PairFile) -> None:
    draws = [numbers.draw(step, num_tokens=500, seed=9) for step in range(6000)]
    count = np.bincount(np.concatenate(draws), minlength=len(numbers))
    digits = np.array([len(pair.source.replace(".", "")) for pair in NUMBERS])
    means = [count[digits == length].mean() / count.mean() for length in range(1, 7)]
    assert np.allclose(means, 1, atol=0.12)
    assert count.min() > 0


def test_few_pairs_make_small_batches(tmp_path: Path) -> None:
    tokenizer = train_pair_tokenizer(NUMBERS, "character", 80)
    few = PairFile.write(NUMBERS[:3], tokenizer, tmp_path / "few")
    assert sorted(few.draw(0, num_tokens=10_000, seed=0).tolist()) == [0, 1, 2]
    assert len(few.draw(0, num_tokens=1, seed=0)) == 1


def test_rows_are_filled_at_their_ends() -> None:
    rows = [np.array([3, 4]), np.array([5]), np.array([6, 7, 8])]
    assert padded(rows, 9).tolist() == [[3, 4, 9], [5, 9, 9], [6, 7, 8]]
