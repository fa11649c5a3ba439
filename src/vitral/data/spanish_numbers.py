"""Whole numbers in Spanish words, and back: a task whose answers can be checked.

    1.234            mil doscientos treinta y cuatro
    21.000.101       veintiún millones ciento uno
    999.999.999.999  … millones novecientos noventa y nueve mil novecientos noventa y nueve

A number is read in groups of three digits from the right: units, *mil*, *millón*, *mil millones*
(in Spanish a *billón* is a million millions). Three things make it more than a list of words:

* "uno" loses its end before "mil" and "millones": *veintiún mil*, *treinta y un millones*
  (Real Academia Española, "Ortografía" 2010, and its "Diccionario panhispánico de dudas",
  cardinales);
* a thousand is "mil", never "un mil", but a million is "un millón";
* up to thirty the number is one word, with its accent where the last syllable is stressed:
  *dieciséis, veintidós, veintitrés, veintiséis* and *veintiún*.

So a model that writes them must count positions from the right, and remember what stands to the
left of where it is: a question about attention with a checkable answer.
"""

from vitral.errors import VitralError

LARGEST = 999_999_999_999
"""The largest number that this file writes: twelve digits."""

_UNITS = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
    "dieciséis diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro "
    "veinticinco veintiséis veintisiete veintiocho veintinueve"
)
_TENS = "cero diez veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa"
_HUNDREDS = (
    "cero ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos "
    "ochocientos novecientos"
)
_UNIT, _TEN, _HUNDRED = _UNITS.split(), _TENS.split(), _HUNDREDS.split()
_SHORT = {"uno": "un", "veintiuno": "veintiún"}
"""What stands before "mil" and "millones"."""

_VALUES = (
    {word: 100 * hundreds for hundreds, word in enumerate(_HUNDRED) if hundreds}
    | {word: 10 * tens for tens, word in enumerate(_TEN) if tens}
    | {word: value for value, word in enumerate(_UNIT) if value}
    | {short: _UNIT.index(word) for word, short in _SHORT.items()}
    | {"cien": 100, "y": 0}
)


def number_in_digits(number: int) -> str:
    """The digits in groups of three: 1234 gives "1.234". Raises `number_out_of_range`."""
    _check(number)
    return f"{number:,}".replace(",", ".")


def number_in_words(number: int) -> str:
    """The number in words. Raises VitralError `number_out_of_range` below 0 and above `LARGEST`.

    >>> number_in_words(21_001_031)
    'veintiún millones mil treinta y uno'
    """
    _check(number)
    if number == 0:
        return "cero"
    millions, rest = divmod(number, 1_000_000)
    words = _below_a_million(rest)
    if millions == 1:
        words = ["un", "millón", *words]
    elif millions:
        words = [*_shortened(_below_a_million(millions)), "millones", *words]
    return " ".join(words)


def number_from_words(words: str) -> int:
    """The number that `words` say; the exact inverse of `number_in_words`.

    Raises VitralError `not_a_number_in_words` for anything that it would not write, such as
    "un mil", "veintiuno mil" or a missing accent.

    >>> number_from_words("ciento un mil millones")
    101000000000
    """
    number = _value(words)
    if number is None or number > LARGEST or number_in_words(number) != words:
        raise VitralError("not_a_number_in_words", words=words)
    return number


def _check(number: int) -> None:
    if not 0 <= number <= LARGEST:
        raise VitralError("number_out_of_range", number=number, largest=LARGEST)


def _below_a_million(number: int) -> list[str]:
    thousands, rest = divmod(number, 1000)
    if thousands == 0:
        return _below_a_thousand(rest)
    before = [] if thousands == 1 else _shortened(_below_a_thousand(thousands))
    return [*before, "mil", *_below_a_thousand(rest)]


def _below_a_thousand(number: int) -> list[str]:
    """The words of 0 (none) to 999."""
    if number == 100:
        return ["cien"]
    hundreds, rest = divmod(number, 100)
    words = [_HUNDRED[hundreds]] if hundreds else []
    if rest == 0:
        return words
    if rest < 30:
        return [*words, _UNIT[rest]]
    tens, unit = divmod(rest, 10)
    return [*words, _TEN[tens], *(("y", _UNIT[unit]) if unit else ())]


def _shortened(words: list[str]) -> list[str]:
    """The words as they stand before "mil" and "millones"."""
    return [*words[:-1], _SHORT.get(words[-1], words[-1])]


def _value(words: str) -> int | None:
    """The sum that the words stand for, whether or not they are well put; None if one of them
    is no word of a number."""
    if words == "cero":
        return 0
    total = group = 0
    for word in words.split(" "):
        if word == "mil":
            group = max(group, 1) * 1000
        elif word in ("millón", "millones"):
            total, group = group * 1_000_000, 0
        elif word in _VALUES:
            group += _VALUES[word]
        else:
            return None
    return total + group
