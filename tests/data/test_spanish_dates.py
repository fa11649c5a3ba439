"""Dates in Spanish words, there and back."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitral.data.spanish_dates import date_from_words, date_in_digits, date_in_words
from vitral.errors import VitralError

BY_HAND = {
    date(1998, 2, 3): ("3/2/1998", "tres de febrero de mil novecientos noventa y ocho"),
    date(2005, 5, 1): ("1/5/2005", "primero de mayo de dos mil cinco"),
    date(2000, 2, 29): ("29/2/2000", "veintinueve de febrero de dos mil"),
    date(1616, 4, 22): ("22/4/1616", "veintidós de abril de mil seiscientos dieciséis"),
    date(1021, 12, 31): ("31/12/1021", "treinta y uno de diciembre de mil veintiuno"),
    date(2999, 9, 21): (
        "21/9/2999",
        "veintiuno de septiembre de dos mil novecientos noventa y nueve",
    ),
}


@pytest.mark.parametrize(("day", "written"), BY_HAND.items())
def test_by_hand(day: date, written: tuple[str, str]) -> None:
    assert (date_in_digits(day), date_in_words(day)) == written
    assert date_from_words(written[1]) == day


@given(st.dates(date(1000, 1, 1), date(2999, 12, 31)))
def test_there_and_back(day: date) -> None:
    words = date_in_words(day)
    assert date_from_words(words) == day
    assert (words.startswith("primero de ")) == (day.day == 1)
    assert [int(part) for part in date_in_digits(day).split("/")] == [day.day, day.month, day.year]


def test_the_other_first_of_the_month_is_understood() -> None:
    assert date_from_words("uno de mayo de dos mil cinco") == date(2005, 5, 1)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "treinta de febrero de dos mil",
        "veintinueve de febrero de mil novecientos",
        "cero de mayo de dos mil",
        "mil millones de mayo de dos mil",
        "tres de mayo",
        "tres de brumario de dos mil",
        "tres de mayo del dos mil",
        "tres de mayo de nueve",
        "primero de mayo de tres mil",
        "primero de mayo de un mil",
        "tres de Mayo de dos mil",
    ],
)
def test_what_is_no_date_is_refused(words: str) -> None:
    with pytest.raises(VitralError) as caught:
        date_from_words(words)
    assert caught.value.key == "not_a_date_in_words"


def test_other_years_are_refused() -> None:
    for write in (date_in_digits, date_in_words):
        with pytest.raises(VitralError) as caught:
            write(date(999, 12, 31))
        assert caught.value.key == "year_out_of_range"
