"""Numbers as their reader writes them; web/tests/messages/numbers.test.ts is the page's half."""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitral.errors import VitralError
from vitral.messages.written_numbers import decimal, percent, scientific, significant, written
from vitral.studio.gate.error_body import error_body
from vitral.tracing.memory.byte_size import ByteSize

CASES = json.loads((Path(__file__).parent / "written_numbers.json").read_text(encoding="utf-8"))
SOURCE = Path(__file__).parents[1] / "src" / "vitral"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['form']}-{case['value']}")
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_number_in_its_readers_form(case: dict[str, Any], language: str) -> None:
    forms: dict[str, Any] = {"decimal": decimal, "significant": significant}
    if case["form"] == "written":
        said = written(case["value"], language)
    else:
        said = forms[case["form"]](case["value"], case["digits"], language)
    assert said == case[language]


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.integers(0, 4))
def test_both_languages_say_the_same_number(value: float, digits: int) -> None:
    english, spanish = (decimal(value, digits, code) for code in ("en", "es"))
    read = float(english.replace(",", ""))
    assert read == float(spanish.replace(".", "").replace(",", "."))
    assert abs(read - value) <= 0.5 * 10**-digits + 1e-9 * abs(value)


def test_what_is_not_finite_has_a_name() -> None:
    assert [written(value, "es") for value in (math.nan, math.inf, -math.inf)] == ["NaN", "∞", "-∞"]


def test_a_sentence_writes_the_numbers_in_it() -> None:
    error = VitralError("text_too_long", length=np.int64(10751), context=0.9, model="GPT 1.5")
    assert all(part in error.text("es") for part in ("10.751", "0,9"))
    assert all(part in error.text("en") for part in ("10,751", "0.9"))
    assert "GPT 1.5" in error.text("es")  # a name stays a name
    assert error_body(error).error.values == {"length": 10751, "context": 0.9, "model": "GPT 1.5"}


def test_a_size_in_bytes_travels_in_both_languages() -> None:
    error = VitralError("disk_full", size=ByteSize(1_500_000_000), folder="carpeta")
    assert ("1,5 GB" in error.text("es"), "1.5 GB" in error.text("en")) == (True, True)
    assert error_body(error, "es").error.values["size"] == {"en": "1.5 GB", "es": "1,5 GB"}


def test_shares_and_powers_of_ten() -> None:
    assert (percent(0.1234, language="es"), percent(0.1234, language="en")) == ("12,3 %", "12.3 %")
    assert (scientific(1.23e-6, 1, "es"), scientific(1.23e-6, 1, "en")) == ("1,2e-06", "1.2e-06")


def test_no_other_place_swaps_the_decimal_sign() -> None:
    """A language's decimal sign is put into a text by `written_numbers` alone."""
    swap = re.compile(r"""replace\(\s*["']\.["'],\s*["'],["']""")
    found = {p.name for p in SOURCE.rglob("*.py") if swap.search(p.read_text(encoding="utf-8"))}
    assert not found
