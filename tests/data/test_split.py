from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitral.data.corpus import Document
from vitral.data.split import draw, split_documents, split_text
from vitral.errors import VitralError


def documents(number: int) -> list[Document]:
    return [Document(f"libro-{n}", f"Texto {n}.") for n in range(number)]


def names_held_out(number: int, held_out: list[str] | float, seed: int = 0) -> Sequence[str]:
    found = list(split_documents(documents(number), held_out, seed=seed))
    assert sorted(d.name for d, _ in found) == sorted(d.name for d in documents(number))
    return [document.name for document, is_held_out in found if is_held_out]


@given(st.integers(2, 60), st.floats(0.001, 0.999), st.integers(0, 99))
def test_both_sides_have_documents(number: int, share: float, seed: int) -> None:
    held_out = names_held_out(number, share, seed)
    assert 0 < len(held_out) < number
    drawn = {d.name for d in documents(number) if draw(d.name, seed) < share}
    if 0 < len(drawn) < number:
        assert set(held_out) == drawn
    elif not drawn:  # the one that came nearest
        assert held_out == [min((d.name for d in documents(number)), key=lambda n: draw(n, seed))]


def test_the_share_is_drawn_evenly_and_stays_when_the_corpus_grows() -> None:
    small, large = names_held_out(1000, 0.1), names_held_out(3000, 0.1)
    assert 250 < len(large) < 350
    assert set(small) < set(large)
    assert set(names_held_out(3000, 0.1, seed=1)) != set(large)


def test_named_documents() -> None:
    assert names_held_out(5, ["libro-3", "libro-1"]) == ["libro-1", "libro-3"]
    assert names_held_out(5, []) == []
    with pytest.raises(VitralError, match="libro-9") as caught:
        names_held_out(5, ["libro-9", "libro-1"])
    assert caught.value.key == "held_out_missing"
    with pytest.raises(VitralError) as caught:
        names_held_out(2, ["libro-0", "libro-1"])
    assert caught.value.key == "training_empty"


def test_a_files_name_means_all_its_lines() -> None:
    lines = [Document(f"{file}:{n}", "Hola.") for file in ("uno", "dos") for n in (1, 2, 3)]
    held_out = [
        d.name for d, is_held_out in split_documents(lines, ["dos", "uno:2"]) if is_held_out
    ]
    assert held_out == ["uno:2", "dos:1", "dos:2", "dos:3"]


def test_one_document_is_split_where_a_paragraph_ends() -> None:
    text = "\n".join(f"El párrafo número {number} del libro." for number in range(50))
    (training, first), (held_out, second) = split_documents([Document("libro", text)], 0.1)
    assert (first, second) == (False, True)
    assert (training.name, held_out.name) == ("libro", "libro:end")
    assert f"{training.text}\n{held_out.text}" == text
    assert held_out.text.startswith("El párrafo")
    assert 0.08 < len(held_out.text) / len(text) < 0.12


def test_plain_text_is_split_as_nanogpt_does() -> None:
    text = "First Citizen:\nBefore we proceed any further, hear me speak.\n" * 7
    assert split_text(text, 0.1, "plain") == (
        text[: int(len(text) * 0.9)],
        text[int(len(text) * 0.9) :],
    )


def test_prose_without_paragraphs_is_split_between_words() -> None:
    assert split_text("uno dos tres cuatro", 0.3, "prose") == ("uno dos tres", "cuatro")


def test_too_short_to_split() -> None:
    with pytest.raises(VitralError) as caught:
        list(split_documents([Document("nota", "a")], 0.1))
    assert caught.value.key == "document_too_short"
