"""Reading CoNLL-U: written words, their places, and the relations between them."""

from pathlib import Path

import pytest

from explain.small_treebank import DEL, VERSE, simple
from vitral.errors import VitralError
from vitral.explain.conllu import Relation, read_treebank


def written(folder: Path, text: str) -> Path:
    path = folder / "bosque.conllu"
    path.write_text(text, encoding="utf-8")
    return path


def test_written_words_and_their_relations(tmp_path: Path) -> None:
    [sentence] = read_treebank(written(tmp_path, DEL + "\n\n"))
    assert sentence.words == ["La", "niña", "vino", "del", "jardín", "."]
    assert sentence.text == "La niña vino del jardín."
    assert [sentence.text[first:last] for first, last in sentence.places] == sentence.words
    assert sentence.relations == [
        Relation(0, 1, "det"),
        Relation(1, 2, "nsubj"),
        Relation(3, 4, "case"),
        Relation(3, 4, "det"),
        Relation(4, 2, "obl"),
        Relation(5, 2, "punct"),
    ]


def test_a_relation_inside_one_written_word_is_left_out(tmp_path: Path) -> None:
    [sentence] = read_treebank(written(tmp_path, VERSE))
    assert sentence.words == ["dándole", "pan"]
    assert sentence.relations == [Relation(1, 0, "obj")]


def test_sentences_end_at_blank_lines(tmp_path: Path) -> None:
    both = read_treebank(
        written(tmp_path, "\ufeff" + DEL.replace("\n", "\r\n") + "\r\n\r\n\n" + VERSE)
    )
    assert [len(sentence.words) for sentence in both] == [6, 2]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("1\tuna\tlinea", 1),
        (simple("uno dos", "2 7", "a b"), 2),
        (simple("uno dos", "2 _", "a b"), 2),
        (simple("uno dos", "2 0", "a b").replace("2\tdos", "3\tdos"), 2),
        (simple("uno dos", "2 0", "a b").replace("2\tdos", "x\tdos"), 2),
        (simple("uno dos", "2 0", "a b").replace("2\tdos", "2-1\tdos"), 2),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(VitralError, match=f"line {line}: this is not CoNLL-U"):
        read_treebank(written(tmp_path, text))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(VitralError, match="no sentence"):
        read_treebank(written(tmp_path, "# nothing\n\n"))
    with pytest.raises(VitralError, match="nada"):
        read_treebank(tmp_path / "nada.conllu")
    path = tmp_path / "latin.conllu"
    path.write_bytes("1\tniña".encode("latin-1"))
    with pytest.raises(VitralError, match="UTF-8"):
        read_treebank(path)
