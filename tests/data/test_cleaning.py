import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitral.data.cleaning import paragraphs


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("Yo, Juan Gallo\nde Andrada,\r\nescribano", ["Yo, Juan Gallo de Andrada, escribano"]),
        ("uno\n\n\n dos ", ["uno", "dos"]),
        ("-¿Ve usted?... -dijo ella-. Sí.", ["—¿Ve usted?... —dijo ella—. Sí."]),
        ("- ¡Y a esto llaman ciudad! -se dijo.", ["—¡Y a esto llaman ciudad! —se dijo."]),
        ("- I -", ["I"]),
        ("-XIV-", ["XIV"]),
        ("teórico-práctico y franco-prusiana", ["teórico-práctico y franco-prusiana"]),
        ("Cielo [sic] _santo_, *dijo*", ["Cielo santo, dijo"]),
        ("dulces ... y abajo , ya", ["dulces... y abajo, ya"]),
        ("Espera… “así”", ["Espera... «así»"]),
        (unicodedata.normalize("NFD", "niño, pingüino, acción"), ["niño, pingüino, acción"]),
        ("", []),
        (" \n\n \t", []),
    ],
)
def test_paragraphs(dirty: str, clean: list[str]) -> None:
    assert paragraphs(dirty) == clean


@given(st.text(alphabet="aáñ -—.,\n[]_*IV«»¿?…\r\t", max_size=60))
def test_cleaning_leaves_no_blank_or_broken_paragraph(text: str) -> None:
    for paragraph in paragraphs(text):
        assert paragraph == paragraph.strip()
        assert paragraph
        assert not set(paragraph) & set("\n\r\t_*")
        assert "  " not in paragraph


@given(st.text(alphabet="abcáéíóúñüABC", min_size=1, max_size=30))
def test_words_and_accents_are_kept(word: str) -> None:
    assert paragraphs(word) == [word]
