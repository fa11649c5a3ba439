from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitral.data.corpus import Document
from vitral.data.split import FAR, draw, plan_split, split_documents, split_text
from vitral.errors import VitralError


def documents(number: int) -> list[Document]:
    return [Document(f"libro-{n}", f"Texto {n:04}.") for n in range(number)]


def names_held_out(number: int, held_out: list[str] | float, seed: int = 0) -> Sequence[str]:
    found = list(split_documents(documents(number), held_out, seed=seed))
    assert sorted(d.name for d, _ in found) == sorted(d.name for d in documents(number))
    return [document.name for document, is_held_out in found if is_held_out]


@given(st.integers(2, 60), st.floats(0.001, 0.999), st.integers(0, 99))
def test_both_sides_have_documents(number: int, share: float, seed: int) -> None:
    held_out = names_held_out(number, share, seed)
    assert 0 < len(held_out) < number
    drawn = {d.name for d in documents(number) if draw(d.name, seed) < share}
    near = 1.01 / FAR < len(drawn) / number / share < 0.99 * FAR
    if 0 < len(drawn) < number and near:
        assert set(held_out) == drawn
    elif not drawn and share * number < 1:  # the one that came nearest
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


def sized(*lengths: int) -> list[Document]:
    """Documents of so many words, no two of them alike."""
    return [
        Document(f"libro-{number}", " ".join(f"p{number}x{place}" for place in range(length)))
        for number, length in enumerate(lengths)
    ]


def share_held_out(documents: list[Document], share: float, seed: int) -> float:
    found = list(split_documents(documents, share, seed=seed))
    sizes = {held: sum(len(d.text) for d, side in found if side is held) for held in (True, False)}
    assert sizes[True] > 0
    assert sizes[False] > 0
    return sizes[True] / (sizes[True] + sizes[False])


@pytest.mark.parametrize("seed", range(12))
def test_of_two_files_the_larger_is_not_held_out(seed: int) -> None:
    assert share_held_out(sized(900, 100), 0.1, seed) < 0.15
    assert share_held_out(sized(70, 650), 0.1, seed) < 0.15


@pytest.mark.parametrize("seed", range(12))
def test_the_share_is_one_of_the_text(seed: int) -> None:
    uneven = [2000, 1500, *[150] * 6, *[20] * 40]
    assert 0.04 < share_held_out(sized(*uneven), 0.1, seed) < 0.16


@pytest.mark.parametrize("seed", range(8))
def test_copies_stand_on_one_side(seed: int) -> None:
    books = sized(*[300] * 20)
    copies = [Document(f"copia-{n}", books[n].text) for n in (3, 7, 11)]
    near = [Document(f"otra-{n}", f"Prólogo nuevo. {books[n].text}") for n in (3, 5, 19)]
    side = {d.name: held for d, held in split_documents([*books, *copies, *near], 0.2, seed=seed)}
    for name, kinds in {3: ("copia", "otra"), 7: ("copia",), 5: ("otra",), 19: ("otra",)}.items():
        for kind in kinds:
            assert side[f"{kind}-{name}"] == side[f"libro-{name}"]


@pytest.mark.parametrize("seed", range(4))
def test_a_corpus_of_one_manner_can_still_be_split(seed: int) -> None:
    """Forms that differ in a number are alike all of them; they are not copies of each other."""
    form = "El perro número {} que persiguió al gato cruzó la calle y después volvió a su casa."
    forms = [Document(f"nota-{n}", form.format(n)) for n in range(200)]
    assert 0.05 < share_held_out(forms, 0.1, seed) < 0.16
    same = [Document(f"nota-{n}", form) for n in range(30)]
    assert 0.03 <= share_held_out(same, 0.1, seed) < 0.25


def test_what_streams_by_once_is_split_alike() -> None:
    books = sized(900, 100, 300, 40)
    again = list(split_documents(iter(books), 0.2, seed=3))
    assert again == list(split_documents(books, 0.2, seed=3))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("count", [10, 20, 60])
def test_of_equal_documents_the_share_is_held_out(seed: int, count: int) -> None:
    """Each of other words, all of one size: the lots alone would hold out up to four of ten."""
    documents = [
        Document(f"{n}", " ".join(f"{n * 1000 + word:05d}" for word in range(60)))
        for n in range(count)
    ]
    plan = plan_split(documents, 0.1, seed)
    assert 0.05 <= plan.share_of_text <= 0.16
