from pathlib import Path

import numpy as np
import pytest

from vitral.data.corpus import Document, read_corpus
from vitral.data.windows import TokenFile, draw_windows
from vitral.errors import VitralError
from vitral.text.tokenizers import train_byte_level_bpe

TEXT = "El perro ladra. El gato duerme.\n—¿Qué? —dijo el Sr. García.\n" * 30


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> TokenFile:
    tokenizer = train_byte_level_bpe([TEXT], 300)
    stem = tmp_path_factory.mktemp("tokens") / "tokens"
    written = TokenFile.write([Document("a", TEXT), Document("b", TEXT[:200])], tokenizer, stem)
    assert TokenFile.exists(stem)
    assert np.array_equal(written.ids, TokenFile.open(stem).ids)
    assert tokenizer.decode(list(written.ids)) == TEXT + TEXT[:200]
    return written


def test_windows_start_at_sentences(tokens: TokenFile) -> None:
    tokenizer = train_byte_level_bpe([TEXT], 300)
    for start in tokens.starts[:20]:
        before = tokenizer.decode(list(tokens.ids[max(0, start - 8) : start]))
        after = tokenizer.decode(list(tokens.ids[start : start + 8])).removeprefix(" ")
        assert start == 0 or before[-1] in "\n.!?»"
        assert after[0] in "EG—"  # "Sr. García" looks like an end and a start


def test_a_step_always_draws_the_same_windows(tokens: TokenFile) -> None:
    options = {"num_tokens": 64, "lengths": [8, 16], "seed": 5}
    first = draw_windows(tokens, 3, **options)
    assert np.array_equal(first, draw_windows(tokens, 3, **options))
    assert not np.array_equal(first, draw_windows(tokens, 4, **options))
    shapes = {draw_windows(tokens, step, **options).shape for step in range(20)}
    assert shapes == {(8, 8), (4, 16)}


def folder_of_books(tmp_path: Path) -> Path:
    (tmp_path / "uno.txt").write_text("Uno\nsigue.\n\nDos.", encoding="utf-8")
    (tmp_path / "dos.txt").write_text("Aparte.", encoding="utf-8")
    return tmp_path


def test_whole_books_are_held_out(tmp_path: Path) -> None:
    training, held_out = read_corpus(folder_of_books(tmp_path), ["dos"])
    assert training == [Document("uno", "Uno sigue.\nDos.")]
    assert held_out == [Document("dos", "Aparte.")]


def test_a_misspelt_held_out_book_is_named(tmp_path: Path) -> None:
    with pytest.raises(VitralError, match="tres"):
        read_corpus(folder_of_books(tmp_path), ["tres"])


def test_a_folder_without_books_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VitralError) as caught:
        read_corpus(tmp_path, [])
    assert caught.value.key == "data_missing"


def test_the_first_byte_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "malo.txt").write_bytes("año".encode("latin-1"))
    with pytest.raises(VitralError, match=r"malo\.txt.*byte 1\b"):
        read_corpus(tmp_path, [])
