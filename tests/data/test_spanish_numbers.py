"""Numbers in Spanish words: by hand, by the rules, and there and back over the whole range."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vitral.data.spanish_numbers import (
    LARGEST,
    number_from_words,
    number_in_digits,
    number_in_words,
)
from vitral.errors import VitralError

BY_HAND = {
    0: "cero",
    1: "uno",
    16: "dieciséis",
    21: "veintiuno",
    22: "veintidós",
    23: "veintitrés",
    26: "veintiséis",
    30: "treinta",
    31: "treinta y uno",
    100: "cien",
    101: "ciento uno",
    116: "ciento dieciséis",
    500: "quinientos",
    555: "quinientos cincuenta y cinco",
    700: "setecientos",
    900: "novecientos",
    1000: "mil",
    1001: "mil uno",
    1100: "mil cien",
    1234: "mil doscientos treinta y cuatro",
    2000: "dos mil",
    21_000: "veintiún mil",
    21_021: "veintiún mil veintiuno",
    31_000: "treinta y un mil",
    41_001: "cuarenta y un mil uno",
    100_000: "cien mil",
    101_000: "ciento un mil",
    121_121: "ciento veintiún mil ciento veintiuno",
    200_016: "doscientos mil dieciséis",
    999_999: "novecientos noventa y nueve mil novecientos noventa y nueve",
    1_000_000: "un millón",
    1_000_001: "un millón uno",
    1_001_000: "un millón mil",
    2_000_100: "dos millones cien",
    21_000_000: "veintiún millones",
    31_131_031: "treinta y un millones ciento treinta y un mil treinta y uno",
    100_000_000: "cien millones",
    101_000_000: "ciento un millones",
    1_000_000_000: "mil millones",
    1_000_000_001: "mil millones uno",
    1_001_000_000: "mil un millones",
    21_021_000_000: "veintiún mil veintiún millones",
    101_001_001_001: "ciento un mil un millones mil uno",
    LARGEST: "novecientos noventa y nueve mil novecientos noventa y nueve millones "
    "novecientos noventa y nueve mil novecientos noventa y nueve",
}

numbers = st.integers(1, 12).flatmap(
    lambda digits: st.integers(0 if digits == 1 else 10 ** (digits - 1), 10**digits - 1)
)


@pytest.mark.parametrize(("number", "words"), BY_HAND.items())
def test_by_hand(number: int, words: str) -> None:
    assert number_in_words(number) == words
    assert number_from_words(words) == number


@given(numbers)
@example(0)
@example(LARGEST)
def test_there_and_back(number: int) -> None:
    words = number_in_words(number)
    assert number_from_words(words) == number
    assert number_in_digits(number).replace(".", "") == str(number)
    assert re.fullmatch(r"\d{1,3}(\.\d{3})*", number_in_digits(number))


@given(numbers)
def test_no_form_that_spanish_has_not(number: int) -> None:
    words = f" {number_in_words(number)} "
    assert not re.search(r"uno (mil|millones)\b", words)
    assert not re.search(r"^ un mil |millones un mil | ciento (mil|millones) | cien [^m]", words)
    assert not re.search(r"\bcero\b.", words.strip())
    assert "  " not in words
    assert (" millón " in words) == (number // 1_000_000 == 1)


@given(numbers, numbers)
def test_two_numbers_have_different_words(one: int, other: int) -> None:
    assert (number_in_words(one) == number_in_words(other)) == (one == other)


@pytest.mark.parametrize(
    "words",
    [
        "",
        " ",
        "un mil",
        "uno mil",
        "veintiuno mil",
        "un millones",
        "uno millón",
        "millón",
        "dos millón",
        "cien uno",
        "ciento",
        "ciento mil",
        "dieciseis",
        "veintiun mil",
        "treinta uno",
        "veinte y uno",
        "treinta y veinte",
        "mil mil",
        "dos  mil",
        "dos mil ",
        "Dos mil",
        "cero mil",
        "mil cero",
        "uno dos",
        "un",
        "y",
        "mil millones de",
        "un millón un millón",
        "mil mil millones",
        "tres mil cuatro millones millones",
    ],
)
def test_what_is_no_number_is_refused(words: str) -> None:
    with pytest.raises(VitralError) as caught:
        number_from_words(words)
    assert caught.value.key == "not_a_number_in_words"


@given(numbers, st.data())
def test_a_changed_letter_never_gives_the_number(number: int, data: st.DataObject) -> None:
    words = number_in_words(number)
    place = data.draw(st.integers(0, len(words) - 1))
    letter = data.draw(st.sampled_from(sorted(set("abcdeilmnoqrstuvyzáéíóú ") - {words[place]})))
    changed = words[:place] + letter + words[place + 1 :]
    try:
        found = number_from_words(changed)
    except VitralError:
        return
    assert found != number
    assert number_in_words(found) == changed


@pytest.mark.parametrize("number", [-1, LARGEST + 1])
def test_out_of_range_is_refused(number: int) -> None:
    for write in (number_in_words, number_in_digits):
        with pytest.raises(VitralError) as caught:
            write(number)
        assert caught.value.key == "number_out_of_range"
