"""Numbers as their reader writes them: 12,345.6 in English, 12.345,6 in Spanish.

The only place in Python where a number becomes text for people. The page has the same rule in
`web/src/messages/numbers.ts` (the browser's Intl), and `tests/written_numbers.json` holds both to
the same results. Spanish marks the thousands from five digits on (Ortografía de la lengua española,
2010, VIII 2.2), English from four. What programs read (JSON, CSV, settings) is not written here.

The language is "en" or "es", by default that of the user's environment.
"""

import math
from decimal import ROUND_HALF_UP, Context, Decimal
from numbers import Integral, Real

from vitral.messages.language import preferred_language

_EXACT = Context(prec=400, rounding=ROUND_HALF_UP)
_MARKS = str.maketrans({",": ".", ".": ","})


def decimal(value: float, digits: int = 2, language: str | None = None) -> str:
    """`value` with so many decimals.

    >>> decimal(10751.25, 1, "es"), decimal(1234.5, 2, "es"), decimal(1234.5, 2, "en")
    ('10.751,3', '1234,50', '1,234.50')
    """
    if not math.isfinite(value):
        return _not_finite(value)
    step = Decimal(1).scaleb(-digits)
    return _marked(Decimal(value).quantize(step, context=_EXACT), language)


def whole(value: float, language: str | None = None) -> str:
    """A count or a position: no decimals."""
    return decimal(value, 0, language)


def percent(share: float, digits: int = 1, language: str | None = None) -> str:
    """A share of one in percent: 0.1234 as "12.3 %"."""
    return f"{decimal(100 * share, digits, language)} %"


def significant(value: float, digits: int = 3, language: str | None = None) -> str:
    """So many digits that count, without zeros at the end: with three 0.0123, 1.2, 123.

    >>> significant(0.012345, 3, "es"), significant(1.2, 3, "es"), significant(1234567, 3, "en")
    ('0,0123', '1,2', '1,230,000')
    """
    if not math.isfinite(value):
        return _not_finite(value)
    rounded = Context(prec=digits, rounding=ROUND_HALF_UP).create_decimal(Decimal(value))
    return _marked(rounded.normalize(_EXACT), language)


def scientific(value: float, digits: int = 1, language: str | None = None) -> str:
    """With a power of ten, for what differs by many: "1.2e-06"."""
    if not math.isfinite(value):
        return _not_finite(value)
    return _in(language, f"{value:.{digits}e}")


class Written:
    """A value that is written in another way in each language."""

    def written(self, language: str | None = None) -> str:
        """It, as its reader writes it."""
        raise NotImplementedError


def written(value: object, language: str | None = None) -> object:
    """What fills a sentence: numbers and `Written` in the reader's form, anything else as it is.

    Of a number below 100,000 that is no whole one, six digits count.
    """
    if isinstance(value, Written):
        return value.written(language)
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    if isinstance(value, Integral):
        return _marked(int(value), language)
    number = float(value)
    if number.is_integer() or abs(number) >= 1e5:
        return whole(number, language)
    return significant(number, 6, language)


def _marked(value: Decimal | int, language: str | None) -> str:
    text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,d}"
    if _speaks(language) == "es" and -10_000 < value < 10_000:
        text = text.replace(",", "")
    return _in(language, text)


def _in(language: str | None, text: str) -> str:
    return text.translate(_MARKS) if _speaks(language) == "es" else text


def _speaks(language: str | None) -> str:
    return language or preferred_language()


def _not_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
