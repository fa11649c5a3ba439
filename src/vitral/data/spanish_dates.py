"""Dates in Spanish words, and back.

    3/2/1998   tres de febrero de mil novecientos noventa y ocho
    1/5/2005   primero de mayo de dos mil cinco

Day, month, year, as Spanish writes them; no noughts before a digit and no dot in the year. The
first of a month is "primero" here, as in most of America; "uno de mayo", as in most of Spain, is
right as well, and is accepted (Real Academia Española, "Diccionario panhispánico de dudas",
fecha). Only days that there were or will be: the Gregorian calendar, years 1000 to 2999.
"""

from datetime import date

from vitral.data.spanish_numbers import number_from_words, number_in_words
from vitral.errors import VitralError

FIRST_YEAR, LAST_YEAR = 1000, 2999

_MONTHS = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
_MONTH = _MONTHS.split()


def date_in_digits(day: date) -> str:
    """Such as "3/2/1998". Raises `year_out_of_range`."""
    _check(day)
    return f"{day.day}/{day.month}/{day.year}"


def date_in_words(day: date) -> str:
    """The date in words. Raises VitralError `year_out_of_range`.

    >>> date_in_words(date(1998, 2, 3))
    'tres de febrero de mil novecientos noventa y ocho'
    """
    _check(day)
    of_month = "primero" if day.day == 1 else number_in_words(day.day)
    return f"{of_month} de {_MONTH[day.month - 1]} de {number_in_words(day.year)}"


def date_from_words(words: str) -> date:
    """The date that `words` say; the inverse of `date_in_words`, which takes "uno de" too.

    Raises VitralError `not_a_date_in_words` for anything else, such as "treinta de febrero".
    """
    of_month, _, month_and_year = words.partition(" de ")
    month, _, year = month_and_year.partition(" de ")
    try:
        number = 1 if of_month == "primero" else number_from_words(of_month)
        found = date(number_from_words(year), _MONTH.index(month) + 1, number)
        _check(found)
    except (VitralError, ValueError, OverflowError):
        raise VitralError("not_a_date_in_words", words=words) from None
    return found


def _check(day: date) -> None:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise VitralError(
            "year_out_of_range", year=str(day.year), first=str(FIRST_YEAR), last=str(LAST_YEAR)
        )
